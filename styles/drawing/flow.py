"""Flow fields: angles that brush strokes follow, streamlines through them, and drawn-out noise."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from styles.drawing.fields import Field, Points, Size, clip, grid, resize, sample


def swirl(size: Size, base: Field, centers: Iterable[tuple[float, float, float, float]]) -> Field:
    """Angles of a stream (its own angles in `base`) with whirls in it.

    Each center is (x, y, radius, turn): within about `radius` px the flow runs around it,
    clockwise for a positive turn, and `turn` says how strongly.
    """
    x, y = grid(size)
    along_x, along_y = np.cos(base), np.sin(base)
    for center_x, center_y, radius, turn in centers:
        right, down = x - center_x, y - center_y
        distance = np.hypot(right, down) + 1e-3
        pull = turn * np.exp(-((distance / radius) ** 2) / 2)
        along_x = along_x * (1 - np.minimum(abs(pull), 1)) - pull * down / distance
        along_y = along_y * (1 - np.minimum(abs(pull), 1)) + pull * right / distance
    return np.arctan2(along_y, along_x).astype(np.float32)


def streamlines(
    angles: Field, starts: Points, *, steps: int, step: float, both_ways: bool = True
) -> NDArray[Any]:
    """Polylines (n, points, 2) that follow the field through every start (n, 2)."""
    forth = _follow(angles, starts, steps, step)
    if not both_ways:
        return forth
    back = _follow(angles, starts, steps, -step)
    return np.concatenate([back[:, :0:-1], forth], axis=1)


def _follow(angles: Field, starts: Points, steps: int, step: float) -> NDArray[Any]:
    points = np.asarray(starts, float)
    track = [points]
    for _ in range(steps):
        angle = sample(angles, points)
        points = points + step * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        track.append(points)
    return np.stack(track, axis=1)


def draw_out(field: Field, angles: Field, *, length: float, reduce: int = 2) -> Field:
    """Noise smeared along the flow by `length` px both ways, brought to a deviation of 1.

    Line integral convolution after Cabral and Leedom, "Imaging Vector Fields Using Line Integral
    Convolution" (1993); worked out at 1/`reduce` of the size, which coarse noise doesn't show.
    """
    height, width = field.shape
    small = field[::reduce, ::reduce].astype(np.float32)
    turns = angles[::reduce, ::reduce].astype(np.float32)
    rows, columns = small.shape
    cos, sin, values = np.cos(turns).ravel(), np.sin(turns).ravel(), small.ravel()
    total = values.copy()
    for way in (1, -1):
        x, y = (axis.ravel() for axis in grid((columns, rows)))
        place = np.arange(values.size)
        for _ in range(round(length / reduce)):
            x = clip(x + way * cos[place], 0, columns - 1)
            y = clip(y + way * sin[place], 0, rows - 1)
            place = y.astype(np.int32) * columns + x.astype(np.int32)
            total += values[place]
    smeared = total.reshape(rows, columns)
    return resize(smeared / smeared.std(), (width, height))
