"""How the bot is doing: health figures, heartbeat, metrics and logs."""
