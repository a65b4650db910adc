"""Updates and files in, calls out: polling, queues, rate limits, Telegram's errors."""
