"""Tests of models/pictures."""
