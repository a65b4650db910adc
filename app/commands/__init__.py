"""What `run.py` can do beside running the bot: one module a command."""
