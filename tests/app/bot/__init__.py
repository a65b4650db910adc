"""Tests of the bot inside this process, against the sandbox."""
