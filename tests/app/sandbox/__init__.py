"""Tests of the sandbox, and the sandbox with faults that other tests use."""
