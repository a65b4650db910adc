"""The real bot in a process of its own, over HTTP."""
