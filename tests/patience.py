"""How long tests wait for what must happen."""

PATIENCE_S = 60.0
"""As long as it may take on the busiest machine; whoever sees it sooner goes on at once."""
