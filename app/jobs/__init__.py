"""Jobs from submission to delivery: queue, deliveries, records; knows no Telegram."""
