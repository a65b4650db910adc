"""The draft: one pass of a small network, before any optimisation."""
