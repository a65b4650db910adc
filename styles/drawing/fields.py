"""Scalar fields over the picture: smooth noise, distances, blends. All are (height, width) arrays.

Coordinates are pixels, x to the right and y downwards; fields of noise lie around 0 within -1..1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from scipy.ndimage import distance_transform_edt

Field = NDArray[Any]
"""Numbers of shape (height, width)."""
Colors = NDArray[Any]
"""RGB in 0..1, of shape (height, width, 3)."""
Points = NDArray[Any]
"""Columns x and y, of shape (n, 2)."""

Rng = np.random.Generator
Size = tuple[int, int]
"""Width and height in pixels."""

SIZE: Size = (1280, 1024)
"""Of every preset's picture."""


def grid(size: Size) -> tuple[Field, Field]:
    """The x and the y of every pixel."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return x, y


def clip(field: NDArray[Any], low: ArrayLike = 0.0, high: ArrayLike = 1.0) -> NDArray[Any]:
    """The values, none below `low` or above `high`."""
    return np.minimum(np.maximum(field, low), high)


def resize(field: Field, size: Size) -> Field:
    """A field brought to another size with a bicubic filter."""
    return np.asarray(Image.fromarray(field).resize(size, Image.Resampling.BICUBIC))


def noise(
    size: Size, rng: Rng, *, cell: float | tuple[float, float], octaves: int = 4, gain: float = 0.5
) -> Field:
    """Fractal value noise whose largest forms are about `cell` px (or so wide, so high)."""
    width, height = size
    cell_x, cell_y = cell if isinstance(cell, tuple) else (cell, cell)
    total = np.zeros((height, width), np.float32)
    reach = 0.0
    for octave in range(octaves):
        across = max(1, round(width / cell_x * 2**octave))
        down = max(1, round(height / cell_y * 2**octave))
        knots = rng.uniform(-1, 1, (down + 3, across + 3)).astype(np.float32)
        # Three knots more than needed, so that the border of the resized grid can be cut off.
        grown = resize(knots, (int(width * (across + 3) / across), int(height * (down + 3) / down)))
        left, top = (grown.shape[1] - width) // 2, (grown.shape[0] - height) // 2
        total += gain**octave * grown[top : top + height, left : left + width]
        reach += gain**octave
    return clip(total / reach * 1.6, -1, 1)


def smoothstep(low: float, high: float, field: Field) -> Field:
    """0 below `low`, 1 above `high` (or the other way round), with a soft slope between."""
    t = clip((field - low) / (high - low))
    return t * t * (3 - 2 * t)


def mix(first: Colors | Field, second: Colors | Field, share: Field | float) -> Colors:
    """`first` where `share` is 0, `second` where it is 1; colours may be single ones (3,)."""
    amount = np.asarray(share, np.float32)
    if amount.ndim == 2:
        amount = amount[..., None]
    return np.asarray(first + (second - first) * amount)


def sample(field: NDArray[Any], points: Points) -> NDArray[Any]:
    """The field's values (or colours) at the nearest pixel of every point; borders continue."""
    height, width = field.shape[:2]
    x = np.clip(points[..., 0].astype(int), 0, width - 1)
    y = np.clip(points[..., 1].astype(int), 0, height - 1)
    values: NDArray[Any] = field[y, x]
    return values


def luminance(colors: Colors) -> Field:
    """Rec. 601 luma of RGB."""
    return np.asarray(colors @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)


def emboss(height: Field, *, angle: float = -2.2, depth: float = 1.0) -> Field:
    """Light from `angle` (radians) over a relief: around 0, above where it faces the light."""
    slope_y, slope_x = np.gradient(height)
    return np.asarray(depth * (np.cos(angle) * slope_x + np.sin(angle) * slope_y), np.float32)


def distance_to_border(labels: NDArray[np.int64]) -> Field:
    """How far (px) every pixel is from the next one that has another label."""
    same = np.ones(labels.shape, bool)
    same[1:] &= labels[1:] == labels[:-1]
    same[:, 1:] &= labels[:, 1:] == labels[:, :-1]
    return np.asarray(distance_transform_edt(same), np.float32)
