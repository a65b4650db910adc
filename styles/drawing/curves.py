"""Curves as polylines: splines through points, ribbons of changing width, hand-drawn wobble."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from styles.drawing.fields import Points, Rng


def curve(knots: ArrayLike, *, closed: bool = False, spacing: float = 4.0) -> Points:
    """A smooth curve through the knots (n, 2), sampled about every `spacing` px."""
    points = np.asarray(knots, float)
    if closed:
        points = np.vstack([points, points[:1]])
    steps = np.hypot(*np.diff(points, axis=0).T)
    # Centripetal: no loops or overshoot between knots at uneven distances (Lee 1989).
    along = np.concatenate([[0], np.cumsum(np.sqrt(np.maximum(steps, 1e-6)))])
    spline = CubicSpline(along, points, bc_type="periodic" if closed else "natural")
    count = max(2, int(steps.sum() / spacing))
    sampled: Points = spline(np.linspace(0, along[-1], count + 1))
    return sampled[:-1] if closed else sampled


def length_along(points: Points) -> NDArray[Any]:
    """How far along the polyline every point lies, from 0."""
    return np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])


def resample(points: Points, spacing: float) -> Points:
    """The same polyline with points at equal distances of about `spacing`."""
    along = length_along(points)
    count = max(2, round(along[-1] / spacing) + 1)
    at = np.linspace(0, along[-1], count)
    return np.stack([np.interp(at, along, points[:, axis]) for axis in (0, 1)], axis=1)


def normals(points: Points) -> Points:
    """Unit normals of polylines (..., n, 2), to the left of the way in picture coordinates."""
    tangents = np.gradient(points, axis=-2)
    tangents /= np.maximum(np.hypot(tangents[..., :1], tangents[..., 1:]), 1e-9)
    return np.stack([tangents[..., 1], -tangents[..., 0]], axis=-1)


def ribbon(points: Points, widths: ArrayLike) -> Points:
    """The outlines of bands along polylines (..., n, 2), `widths` px wide at their points."""
    half = np.broadcast_to(np.asarray(widths, float) / 2, points.shape[:-1])[..., None]
    side = normals(points) * half
    return np.concatenate([points + side, (points - side)[..., ::-1, :]], axis=-2)


def taper(count: int, *, start: float = 0.0, end: float = 0.0, power: float = 0.6) -> Points:
    """Widths in 0..1 along a stroke: thin at the start and the end, full between."""
    t = np.linspace(0, 1, count)
    swell = np.sin(np.pi * t) ** power
    floor = start * (1 - t) + end * t
    return np.maximum(swell, floor)


def wobble(points: Points, rng: Rng, *, amount: float, period: float = 30.0) -> Points:
    """The polyline as a hand draws it: pushed sideways by smooth random amounts (px)."""
    along = length_along(points)
    knots = np.arange(0, along[-1] + 2 * period, period)
    push = np.interp(along, knots, rng.normal(0, amount, len(knots)))
    return points + normals(points) * push[:, None]


def symmetric(half: Points) -> Points:
    """A closed outline of its right half, from top to bottom, and the same mirrored at x = 0."""
    return np.vstack([half, (half * (-1, 1))[::-1]])


def circle(x: float, y: float, radius: float, *, spacing: float = 3.0) -> Points:
    """A circle as a polygon."""
    return ellipse(x, y, radius, radius, spacing=spacing)


def ellipse(
    x: float, y: float, radius_x: float, radius_y: float, *, turn: float = 0, spacing: float = 3.0
) -> Points:
    """An ellipse as a polygon, turned by `turn` radians."""
    count = max(8, int(2 * np.pi * max(radius_x, radius_y) / spacing))
    t = np.linspace(0, 2 * np.pi, count, endpoint=False)
    points = np.stack([radius_x * np.cos(t), radius_y * np.sin(t)], axis=1)
    return move(rotate(points, turn), x, y)


def rotate(points: Points, angle: float, *, about: Sequence[float] = (0, 0)) -> Points:
    """The points turned clockwise (as seen, y pointing down) by `angle` radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    center = np.asarray(about, float)
    turned: Points = (points - center) @ np.array([[cos, sin], [-sin, cos]]) + center
    return turned


def move(points: Points, right: float, down: float) -> Points:
    """The points elsewhere."""
    return points + np.array([right, down])


def rectangle(left: float, top: float, right: float, bottom: float) -> Points:
    """An upright rectangle."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
