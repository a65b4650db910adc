"""Tests of jobs, with stub stylizers and a reporter that records."""
