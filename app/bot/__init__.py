"""The Telegram bot: dispatcher, handlers, conversations, and the messages about jobs."""
