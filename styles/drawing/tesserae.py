"""Mosaic: little stones in rows that run along every contour, as the old masters set them."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt
from skimage.feature import peak_local_max
from skimage.measure import find_contours

from styles.drawing.curves import resample, rotate
from styles.drawing.fields import Colors, Field, Points, Rng

GAP_ROUNDS = 5


def distance_to_contours(flat: Colors, *, contrast: float = 0.06) -> Field:
    """How far every pixel is from the next border between two flat colours, in px."""
    down = np.abs(np.diff(flat, axis=0, prepend=flat[:1])).max(-1)
    right = np.abs(np.diff(flat, axis=1, prepend=flat[:, :1])).max(-1)
    inside = np.maximum(down, right) < contrast
    inside[0], inside[-1], inside[:, 0], inside[:, -1] = (False,) * 4
    return np.asarray(distance_transform_edt(inside), np.float32)


def lay_stones(distance: Field, sizes: Field, rng: Rng) -> list[Points]:
    """Outlines of stones that cover the picture with narrow joints.

    `sizes` says how large (px) the stones are at every pixel, by regions of one value each.
    """
    taken = np.zeros(distance.shape, bool)
    stones: list[Points] = []
    for size in np.unique(sizes):
        here = sizes == size
        for level in np.arange(0.48 * size + 0.3, distance[here].max(), size):
            for contour in find_contours(distance, level, mask=here):
                stones += _lay_row(contour[:, ::-1], float(size), taken, rng)
    return stones + _fill_gaps(taken, sizes, rng)


def _lay_row(path: Points, size: float, taken: Field, rng: Rng) -> list[Points]:
    if len(path) < size:
        return []
    places = resample(path, size * 1.03)
    ways = np.gradient(places, axis=0)
    stones = []
    for (x, y), way in zip(places, ways, strict=True):
        if _is_free(taken, x, y, size):
            turn = float(np.arctan2(way[1], way[0])) + rng.normal(0, 0.07)
            stones.append(_stone(x, y, size, turn, rng))
    return stones


def _is_free(taken: Field, x: float, y: float, size: float) -> bool:
    """Claim the place for a stone, unless too much of it is covered already."""
    reach = size * 0.48
    rows = slice(max(0, round(y - reach)), round(y + reach) + 1)
    columns = slice(max(0, round(x - reach)), round(x + reach) + 1)
    if taken[rows, columns].mean() > 0.3:
        return False
    taken[rows, columns] = True
    return True


def _stone(x: float, y: float, size: float, turn: float, rng: Rng) -> Points:
    half = size * 0.48
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    corners *= rng.uniform(0.9, 1.08, (1, 2))
    return rotate(corners + rng.normal(0, size * 0.05, (4, 2)), turn) + np.array([x, y])


def _fill_gaps(taken: Field, sizes: Field, rng: Rng) -> list[Points]:
    """Stones and splinters where the rows of two contours meet and leave room."""
    stones = []
    for _ in range(GAP_ROUNDS):
        room = distance_transform_edt(~taken)
        for row, column in peak_local_max(room, min_distance=2, threshold_abs=2.2):
            width = min(2.1 * float(room[row, column]) + 1, float(sizes[row, column]))
            if _is_free(taken, column, row, width):
                stones.append(_stone(column, row, width, rng.uniform(0, np.pi), rng))
    return stones
