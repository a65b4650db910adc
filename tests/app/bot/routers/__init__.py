"""Tests of commands that no other folder is about."""
