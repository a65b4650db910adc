"""Tests of the draft network."""
