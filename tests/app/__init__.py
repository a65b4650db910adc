"""Tests of the chat side."""
