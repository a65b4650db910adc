"""What the draft and the engine cost in seconds and memory on this machine."""
