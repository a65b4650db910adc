"""Tests of the trainings, on tiny sets."""
