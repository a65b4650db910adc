"""Tests of what concerns the running job."""
