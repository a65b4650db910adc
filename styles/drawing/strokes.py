"""Brush strokes with body: bands of paint with the marks of the bristles, laid along a flow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from styles.drawing.curves import normals, ribbon, taper
from styles.drawing.fields import Colors, Field, Points, Rng, Size, clip, sample
from styles.drawing.flow import streamlines
from styles.drawing.palette import vary
from styles.drawing.surface import Surface


def scatter(size: Size, rng: Rng, *, spacing: float, margin: float = 0) -> Points:
    """Points all over the picture about `spacing` px apart, in no order that the eye finds."""
    width, height = size
    x, y = np.meshgrid(
        np.arange(-margin, width + margin, spacing), np.arange(-margin, height + margin, spacing)
    )
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    points = points + rng.uniform(-0.5, 0.5, points.shape) * spacing
    return rng.permutation(points)


def thin_out(points: Points, keep: Field, rng: Rng) -> Points:
    """The points, each kept with the probability that the field has there."""
    return points[rng.random(len(points)) < sample(keep, points)]


def paint_strokes(
    surface: Surface,
    starts: Points,
    angles: Field,
    colors: Colors,
    rng: Rng,
    *,
    length: float,
    width: float,
    bristles: int = 3,
    light: float = 0.05,
    hue: float = 0.025,
) -> None:
    """One stroke through every start: it follows the flow and has the colour of its start.

    `length` and `width` are means in px; `light` and `hue` say how unevenly the paint is mixed.
    """
    steps = 4
    tracks = streamlines(angles, starts, steps=steps, step=length / 2 / steps)
    paints = vary(sample(colors, starts), rng, light=light, hue=hue)
    widths = width * rng.uniform(0.65, 1.35, (len(starts), 1))
    outlines = ribbon(tracks, widths * taper(2 * steps + 1, start=0.35, end=0.15))
    hairs, shades = _bristles(tracks, paints, widths, rng, bristles)
    for outline, paint, width_px, lines, tones in zip(
        outlines, paints, widths[:, 0], hairs, shades, strict=True
    ):
        surface.fill(outline, paint, alpha=0.94)
        for line, tone in zip(lines, tones, strict=True):
            surface.line(line, tone, max(0.8, width_px * 0.11), alpha=0.75)


def _bristles(
    tracks: NDArray[Any], paints: NDArray[Any], widths: NDArray[Any], rng: Rng, count: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """`count` thin lines within every stroke, (n, count, points, 2), and their colours."""
    offsets = rng.uniform(-0.38, 0.38, (len(tracks), count)) * widths
    sides = normals(tracks)[:, None] * offsets[:, :, None, None]
    shades = clip(paints[:, None] + rng.normal(0, 0.055, (len(tracks), count, 1)))
    return (tracks[:, None] + sides)[:, :, 1:-1], shades
