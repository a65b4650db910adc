"""Tests of what updates pass before their handler."""
