"""The message that shows a job: progress, result, and the buttons under both."""
