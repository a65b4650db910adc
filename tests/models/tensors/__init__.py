"""Tests of pictures as tensors."""
