"""The handlers, one module for each command or kind of update."""
