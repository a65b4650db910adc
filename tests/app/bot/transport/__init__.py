"""Tests of polling, queues, rate limits and downloads."""
