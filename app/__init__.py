"""The chat side: the Telegram bot, its jobs, the command line and the sandbox; no torch."""
