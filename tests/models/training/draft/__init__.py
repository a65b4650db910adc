"""Tests of the draft network's training."""
