"""Printers' dots: a screen of discs whose size says how much of an ink a place has."""

from __future__ import annotations

import numpy as np

from styles.drawing.fields import Field, clip, grid

SOFTNESS_PX = 0.9


def halftone(share: Field, *, pitch: float, angle: float) -> Field:
    """Where ink lies (0..1) so that its mean is `share` (0..1) at every place.

    Dots stand `pitch` px apart in a grid turned by `angle` radians.
    """
    height, width = share.shape
    x, y = grid((width, height))
    along = (x * np.cos(angle) + y * np.sin(angle)) / pitch
    across = (y * np.cos(angle) - x * np.sin(angle)) / pitch
    away = pitch * np.hypot(along - np.round(along), across - np.round(across))
    radius = pitch * np.sqrt(clip(share) / np.pi)
    return clip((radius - away) / SOFTNESS_PX + 0.5) * (share > 0.004)
