"""Tests of the presets and the programs that drew them."""
