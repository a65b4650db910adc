"""Tests of what is made of a finished painting."""
