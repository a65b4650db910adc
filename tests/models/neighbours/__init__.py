"""Tests of painting by neural neighbours."""
