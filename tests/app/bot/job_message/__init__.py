"""Tests of the message that shows a job, and of its buttons."""
