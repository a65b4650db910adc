"""Engines on other machines, as actors of a Ray cluster; importing this loads
neither Ray nor torch."""
