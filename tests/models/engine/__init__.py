"""Tests of the painting engine."""
