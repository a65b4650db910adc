"""Training of the draft network and of the presets' codes."""
