"""Leaded glass: a plan of which piece lies where, and the light that falls through it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from styles.drawing.fields import (
    Colors,
    Field,
    Points,
    Rng,
    Size,
    clip,
    distance_to_border,
    emboss,
    grid,
    noise,
)
from styles.drawing.palette import vary
from styles.drawing.surface import mask

CAME_PX = 3.4
"""Half the width of a lead strip between two pieces."""
STRONG_CAME_PX = 5.0
"""The same where two forms meet."""


class Pane:
    """A window as it is planned: forms laid over each other, each cut into pieces."""

    def __init__(self, size: Size, rng: Rng) -> None:
        self.size = size
        self.grid = grid(size)
        self._rng = rng
        self._pieces = np.zeros(size[::-1], np.int64)
        self._forms = np.zeros(size[::-1], np.int64)
        self._colors: list[NDArray[Any]] = []
        self._form_count = 0

    def cut(self, inside: Field, cells: NDArray[np.int64], colors: Colors) -> None:
        """Lay a form (where `inside` is over a half) cut into numbered cells.

        Every piece gets the mean of `colors` (a picture, or one of shape (n, 3) to choose from).
        """
        where = inside > 0.5
        if not where.any():
            return
        _, numbers = np.unique(cells[where], return_inverse=True)
        count = int(numbers.max()) + 1
        if colors.ndim == 3:
            totals = np.stack(
                [np.bincount(numbers, colors[where][:, channel], count) for channel in range(3)], 1
            )
            tones = totals / np.bincount(numbers, minlength=count)[:, None]
        else:
            tones = colors[self._rng.integers(0, len(colors), count)]
        self._pieces[where] = numbers + len(self._colors)
        self._colors += list(vary(tones, self._rng, light=0.05, hue=0.035))
        self._form_count += 1
        self._forms[where] = self._form_count

    def form(self, outline: Points, color: Colors) -> None:
        """Lay one uncut piece."""
        self.cut(mask(self.size, outline), np.zeros(self.size[::-1], np.int64), color[None])

    def shatter(
        self, inside: Field, colors: Colors, *, size: float, stretch: float = 1.0, turn: float = 0.0
    ) -> None:
        """Lay a form cut into Voronoi cells about `size` px wide, `stretch` times as long.

        `turn` (radians) is the way of their length; colours as for `cut`.
        """
        where = inside > 0.5
        x, y = (axis[where] for axis in self.grid)
        cos, sin = np.cos(turn), np.sin(turn)
        places = np.stack([(x * cos + y * sin) / stretch, y * cos - x * sin], -1)
        low, high = places.min(0), places.max(0)
        count = max(2, int(np.prod((high - low) / size)))
        _, nearest = cKDTree(self._rng.uniform(low, high, (count, 2))).query(places)
        cells = np.zeros(inside.shape, np.int64)
        cells[where] = nearest
        self.cut(inside, cells, colors)

    def lit(self) -> Colors:
        """The window with the light behind it."""
        rim = distance_to_border(self._pieces)
        form_rim = distance_to_border(self._forms)
        glass = np.stack(self._colors)[self._pieces] * self._shine(rim)[..., None]
        lead = np.maximum(1 - rim / CAME_PX, 1 - form_rim / STRONG_CAME_PX)
        rounded = np.sqrt(clip(lead))
        metal = 0.10 + 0.22 * emboss(rounded * 4) + 0.04 * noise(self.size, self._rng, cell=9)
        cover = clip(lead * 4)[..., None]
        return clip(glass * (1 - cover) + clip(metal)[..., None] * cover)

    def _shine(self, rim: Field) -> Field:
        """Brighter in the middle of a piece, with streaks and seeds of its own in every one."""
        x, y = self.grid
        count = len(self._colors)
        turns = self._rng.uniform(0, np.pi, count)[self._pieces]
        shifts = self._rng.integers(0, 4000, (2, count))
        width, height = 1024, 1024
        streaks = noise((width, height), self._rng, cell=(150, 13), octaves=3)
        column = (x * np.cos(turns) + y * np.sin(turns)).astype(int) + shifts[0][self._pieces]
        row = (y * np.cos(turns) - x * np.sin(turns)).astype(int) + shifts[1][self._pieces]
        grain = streaks[row % height, column % width]
        hammered = emboss(noise(self.size, self._rng, cell=11, octaves=2) * 3)
        glow = 1 - np.exp(-rim / 11)
        return 0.55 + 0.62 * glow + 0.27 * grain + 0.16 * hammered
