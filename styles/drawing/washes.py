"""Transparent paint on rough white paper: washes with wet edges, granulation, blooms, dry brush.

A wash takes light away: paper times exp(-density * absorbance), so layers darken as glazes do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from styles.drawing.curves import normals, ribbon, taper
from styles.drawing.fields import Colors, Field, Points, Rng, Size, clip, noise, smoothstep
from styles.drawing.grounds import paper
from styles.drawing.palette import Color
from styles.drawing.surface import Surface

WHITE_PAPER = np.array([0.985, 0.975, 0.95], np.float32)
Box = tuple[slice, slice]
"""Rows and columns of a part of the sheet."""

GROW_PX = 24
SPARE_PX = 400
"""Noise is made larger than the sheet, so that every wash takes it from another place."""


class Watercolor:
    """A sheet of watercolour paper, painted on wash by wash."""

    def __init__(self, size: Size, rng: Rng, *, ground: Color = WHITE_PAPER) -> None:
        self.size = size
        self._ground = ground
        self._rng = rng
        self._hollows = paper(size, rng)
        spare = (size[0] + SPARE_PX, size[1] + SPARE_PX)
        self._wander = noise(spare, rng, cell=46, octaves=4)
        self._pools = noise(spare, rng, cell=120, octaves=4)
        self._light = np.ones((size[1], size[0], 3), np.float32) * ground

    def wash(
        self,
        outlines: Iterable[Points],
        color: Color,
        *,
        density: float = 1.0,
        soft: float = 1.0,
        rough: float = 5.0,
        edge: float = 0.5,
        dry: float = 0.0,
        fade: tuple[float, float] | None = None,
    ) -> None:
        """Lay one wash over all outlines together.

        `soft` is how far (px) wet paper lets it run, `rough` how far the edge wanders, `edge` how
        much pigment gathers there, `dry` (0..1) how much of the paper's tooth stays white; `fade`
        are the heights (y) at which the paint is full and at which clear water has taken it off.
        """
        cover, box = self._cover(list(outlines), GROW_PX + int(rough + 2 * soft))
        inside = cover > 0.5
        if not inside.any():
            return
        depth = distance_transform_edt(inside) - distance_transform_edt(~inside)
        elsewhere = _shifted(box, self._rng.integers(0, SPARE_PX, 2))
        wander, pool = self._wander[elsewhere], self._pools[elsewhere]
        depth = np.asarray(depth + rough * wander, np.float32)
        reach = smoothstep(-soft, soft, depth)
        rim = edge * np.exp(-(((depth - 2.0) / 2.6) ** 2)) if soft < 6 else 0.0
        grain = self._hollows[box]
        amount = density * reach * (0.78 + rim + 0.34 * pool + 0.20 * grain)
        if dry:
            amount = amount * smoothstep(0.12, -0.25, grain + 2 * dry - 1 + 0.5 * pool)
        if fade:
            y = np.arange(box[0].start, box[0].stop, dtype=np.float32)[:, None]
            amount = amount * smoothstep(fade[1], fade[0], y + 0.5 * GROW_PX * wander)
        self._stain(clip(amount, 0, 4), box, color)

    def dry_stroke(
        self, path: Points, widths: ArrayLike, color: Color, *, density: float, dryness: float = 0.5
    ) -> None:
        """One stroke of a brush that runs out of ink: its hairs part and the paper flies through.

        `widths` are px along the path, `dryness` 0..1 says how early the hairs leave the paper.
        """
        widths = np.broadcast_to(np.asarray(widths, float), len(path))
        box = self._box_around(path, int(widths.max()) + 3)
        corner = _corner(box)
        hairs = Surface(_size(box))
        side = normals(path) * widths[:, None] / 2
        for offset in np.linspace(-1, 1, max(3, int(widths.max() / 1.1))):
            ink = np.cumsum(self._rng.normal(0, 0.16, len(path))) * 0.35 + self._rng.uniform(
                0.6, 1.5
            )
            wet = ink - dryness * np.linspace(0.15, 1.9, len(path)) > 0
            track = path + side * (offset + self._rng.normal(0, 0.03)) - corner
            for first, last in _runs(wet):
                hairs.line(track[first:last], (1, 1, 1), 1.7, alpha=self._rng.uniform(0.6, 1))
        self._stain(density * self._inked(hairs.cover(), box), box, color)

    def lines(self, paths: Iterable[Points], width: float, color: Color, *, density: float) -> None:
        """Fine strokes of a pointed brush, laid together."""
        strokes = [ribbon(path, width * taper(len(path), start=0.5)) for path in paths]
        cover, box = self._cover(strokes, 2)
        self._stain(density * self._inked(cover, box), box, color)

    def _inked(self, cover: Field, box: Box) -> Field:
        return cover * (0.9 - 0.25 * self._hollows[box])

    def _stain(self, amount: Field, box: Box, color: Color) -> None:
        """Take away the light that `amount` of the paint absorbs."""
        absorbance = -np.log(clip(color, 0.02, 0.995))
        self._light[box] *= np.exp(-amount[..., None] * absorbance)

    def lift(self, outlines: Iterable[Points], *, share: float = 0.8, soft: float = 2.0) -> None:
        """Take paint off again with a damp brush, down to the paper."""
        cover, box = self._cover(list(outlines), int(4 * soft) + 2)
        amount = share * gaussian_filter(cover, soft)[..., None]
        self._light[box] += (self._ground - self._light[box]) * amount

    def pencil(self, lines: Iterable[Points], *, width: float = 1.3, dark: float = 0.55) -> None:
        """Graphite that catches only on the paper's tooth."""
        surface = Surface(self.size)
        for line in lines:
            surface.line(line, (1, 1, 1), width)
        self._light *= (1 - dark * surface.cover() * clip(0.75 - 0.5 * self._hollows))[..., None]

    def splatter(self, color: Color, count: int, box: tuple[float, float, float, float]) -> None:
        """Drops flicked off the brush into a box (left, top, right, bottom)."""
        left, top, right, bottom = box
        drops = []
        for _ in range(count):
            x, y = self._rng.uniform(left, right), self._rng.uniform(top, bottom)
            radius = min(self._rng.gamma(1.3, 1.7), 9.0)
            turns = np.linspace(0, 2 * np.pi, 12, endpoint=False)
            reach = radius * self._rng.uniform(0.85, 1.15, 12)
            drops.append(np.stack([x + reach * np.cos(turns), y + reach * np.sin(turns)], 1))
        self.wash(drops, color, density=0.8, rough=0.5)

    def _cover(self, outlines: list[Points], margin: int) -> tuple[Field, Box]:
        """The outlines filled, and which part of the sheet that is, with a margin around it."""
        box = self._box_around(np.vstack(outlines), margin)
        surface = Surface(_size(box))
        for outline in outlines:
            surface.fill(outline - _corner(box), (1, 1, 1))
        return surface.cover(), box

    def _box_around(self, points: Points, margin: int) -> Box:
        limits = np.array(self.size)
        low = clip(np.floor(points.min(0)) - margin, 0, limits - 1).astype(int)
        high = clip(np.ceil(points.max(0)) + margin, low + 1, limits).astype(int)
        return slice(low[1], high[1]), slice(low[0], high[0])

    def picture(self) -> Colors:
        """The dry sheet, its tooth in a low light."""
        tooth = gaussian_filter(self._hollows, 0.7)
        return clip(self._light * (1 + 0.03 * tooth)[..., None])


def _size(box: Box) -> Size:
    rows, columns = box
    return int(columns.stop - columns.start), int(rows.stop - rows.start)


def _corner(box: Box) -> Points:
    rows, columns = box
    return np.array([columns.start, rows.start])


def _runs(wet: NDArray[Any]) -> list[tuple[int, int]]:
    """Where a hair touches the paper: from which point to which."""
    changes = np.flatnonzero(np.diff(np.concatenate([[0], wet.astype(int), [0]])))
    return [(a, b) for a, b in zip(changes[::2], changes[1::2], strict=True) if b - a > 1]


def _shifted(box: Box, by: NDArray[Any]) -> Box:
    rows, columns = (slice(s.start + int(o), s.stop + int(o)) for s, o in zip(box, by, strict=True))
    return rows, columns
