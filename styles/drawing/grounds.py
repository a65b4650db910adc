"""What a picture is painted on: paper, canvas, wood; each is a relief around 0, within -1..1."""

from __future__ import annotations

import numpy as np

from styles.drawing.fields import Field, Rng, Size, clip, grid, noise


def paper(size: Size, rng: Rng, *, tooth: float = 5.0) -> Field:
    """Rough watercolour paper: hollows of about `tooth` px, and a fine grain."""
    hollows = noise(size, rng, cell=tooth, octaves=2)
    grain = rng.normal(0, 0.35, hollows.shape).astype(np.float32)
    return clip(hollows * 0.8 + grain * 0.35, -1)


def washi(size: Size, rng: Rng) -> Field:
    """Japanese paper: long faint fibres lying across each other, and clouds in the pulp."""
    across = noise(size, rng, cell=(60, 2), octaves=2)
    down = noise(size, rng, cell=(2.5, 40), octaves=2)
    clouds = noise(size, rng, cell=180, octaves=3)
    return clip(0.45 * across + 0.3 * down + 0.5 * clouds, -1)


def canvas(size: Size, rng: Rng, *, thread: float = 4.0) -> Field:
    """Woven linen: threads of `thread` px over and under each other, not quite even."""
    x, y = grid(size)
    bend = noise(size, rng, cell=90, octaves=2) * thread * 0.6
    warp = np.sin((x + bend) * np.pi / thread)
    weft = np.sin((y + bend) * np.pi / thread)
    return np.asarray(0.5 * (warp * weft) + 0.3 * np.abs(warp) - 0.15, np.float32)


def wood(size: Size, rng: Rng, *, ring: float = 14.0) -> Field:
    """The grain of a printing block: long wavy lines about `ring` px apart."""
    bend = noise(size, rng, cell=(700, 130), octaves=3)
    fibres = noise(size, rng, cell=(120, 2), octaves=2)
    _, y = grid(size)
    rings = np.sin(2 * np.pi * (y / ring + 9 * bend))
    return clip(0.6 * rings + 0.5 * fibres, -1)
