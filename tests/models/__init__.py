"""Tests of the torch side."""
