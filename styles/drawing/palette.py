"""Colours: from hexadecimal notation, ramps between them, small human variations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from styles.drawing.fields import Colors, Field, Rng, clip

Color = NDArray[Any]
"""Shape (3,), RGB in 0..1."""


def rgb(notation: str) -> Color:
    """The colour of "#rrggbb"."""
    return np.array([int(notation[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255


def palette(*notations: str) -> NDArray[Any]:
    """Colours of shape (n, 3)."""
    return np.stack([rgb(notation) for notation in notations])


def ramp(field: Field, stops: Sequence[tuple[float, str]]) -> Colors:
    """Colours along a scale: each stop says which colour a value has; between them they blend."""
    positions = [position for position, _ in stops]
    colors = palette(*(notation for _, notation in stops))
    channels = [np.interp(field, positions, colors[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def vary(colors: NDArray[Any], rng: Rng, *, light: float = 0.06, hue: float = 0.03) -> NDArray[Any]:
    """The same colours (..., 3) as a hand would mix them anew: a little lighter, a little other."""
    shape = colors.shape[:-1]
    lighter = rng.normal(0, light, (*shape, 1))
    other = rng.normal(0, hue, (*shape, 3))
    return clip(colors + lighter + other)
