"""Tests of texts, translations and menus."""
