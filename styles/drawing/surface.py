"""A surface to draw shapes on with skia, which is read and written as a NumPy array."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import skia
from numpy.typing import ArrayLike, NDArray

from styles.drawing.fields import Colors, Field, Points, Size, clip


class Surface:
    """Anti-aliased shapes on an RGBA bitmap; colours are RGB triples in 0..1."""

    def __init__(self, size: Size, background: Colors | NDArray[Any] | None = None) -> None:
        """A transparent surface, or one of a colour (3,) or a picture (height, width, 3)."""
        width, height = size
        self.size = size
        self._pixels = np.zeros((height, width, 4), np.uint8)
        if background is not None:
            self._pixels[..., :3] = _to_bytes(background)
            self._pixels[..., 3] = 255
        self._surface = skia.Surface(self._pixels)
        self._canvas = self._surface.getCanvas()

    def colors(self) -> Colors:
        """What was drawn, with colours as they are seen over nothing (premultiplied)."""
        return self._pixels[..., :3].astype(np.float32) / 255

    def cover(self) -> Field:
        """How far every pixel is covered, 0..1."""
        return self._pixels[..., 3].astype(np.float32) / 255

    def over(self, ground: Colors) -> Colors:
        """What was drawn, laid over `ground`."""
        return self.colors() + ground * (1 - self.cover()[..., None])

    def fill(self, outline: Points, color: ArrayLike, *, alpha: float = 1.0) -> None:
        """The inside of a polygon."""
        self._canvas.drawPath(_path(outline, closed=True), _paint(color, alpha))

    def fill_all(self, outlines: Iterable[Points], color: ArrayLike, *, alpha: float = 1.0) -> None:
        """Several polygons as one shape: where two overlap is a hole."""
        shape = skia.Path()
        shape.setFillType(skia.PathFillType.kEvenOdd)
        for outline in outlines:
            shape.addPath(_path(outline, closed=True))
        self._canvas.drawPath(shape, _paint(color, alpha))

    def line(
        self,
        points: Points,
        color: ArrayLike,
        width: float,
        *,
        alpha: float = 1.0,
        closed: bool = False,
        round_ends: bool = True,
    ) -> None:
        """A line of one width."""
        paint = _paint(color, alpha)
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(width)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
        if round_ends:
            paint.setStrokeCap(skia.Paint.kRound_Cap)
        self._canvas.drawPath(_path(points, closed=closed), paint)

    def dot(self, x: float, y: float, radius: float, color: ArrayLike, *, alpha: float = 1) -> None:
        """A disc."""
        self._canvas.drawCircle(float(x), float(y), float(radius), _paint(color, alpha))


def mask(size: Size, *outlines: Points) -> Field:
    """1 inside any of the polygons, 0 outside, soft at the very edge."""
    surface = Surface(size)
    for outline in outlines:
        surface.fill(outline, (1, 1, 1))
    return surface.cover()


def _to_bytes(colors: ArrayLike) -> NDArray[np.uint8]:
    return (clip(np.asarray(colors)) * 255 + 0.5).astype(np.uint8)


def _path(points: Points, *, closed: bool) -> skia.Path:
    corners = [skia.Point(x, y) for x, y in np.asarray(points).tolist()]
    return skia.Path.Polygon(corners, closed)


def _paint(color: ArrayLike, alpha: float) -> skia.Paint:
    red, green, blue = np.asarray(color, float).tolist()
    paint = skia.Paint(AntiAlias=True)
    paint.setColor4f(skia.Color4f(red, green, blue, alpha))
    return paint
