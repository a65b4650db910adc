"""How the bot is installed, supervised and contained."""
