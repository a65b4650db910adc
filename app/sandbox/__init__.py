"""A Bot API server on loopback with a chat page: the bot without Telegram, to try and to test."""
