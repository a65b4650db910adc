"""The tests; folders mirror app, models and styles, and e2e drives the real bot."""
