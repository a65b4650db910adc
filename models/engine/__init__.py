"""The painting engine: loading, device memory, progress, and the way of one picture."""
