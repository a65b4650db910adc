"""Moving pictures: decoded in a process that may be killed, painted without flicker, encoded."""
