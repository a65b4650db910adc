"""Tests of the way from a question to a job."""
