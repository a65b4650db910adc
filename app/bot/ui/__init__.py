"""What people read and press: texts, keyboards, callback data and translations."""
