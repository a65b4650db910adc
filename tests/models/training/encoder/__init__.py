"""Tests of the slim encoder's training."""
