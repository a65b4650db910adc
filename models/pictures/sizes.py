"""Sizes, (width, height) in pixels, that a picture is decoded and reduced to."""

from __future__ import annotations

import math

from models.pictures.problems import MAX_PIXELS


def fit_size(size: tuple[int, int], long_side_px: float) -> tuple[int, int]:
    """The size of the same shape whose long side is `long_side_px`."""
    scale = long_side_px / max(size)
    width, height = (max(1, round(side * scale)) for side in size)
    return width, height


def reduced_size(size: tuple[int, int], long_side_px: int | None) -> tuple[int, int]:
    is_larger = long_side_px is not None and max(size) > long_side_px
    return fit_size(size, long_side_px) if is_larger and long_side_px else size


def drafted_size(size: tuple[int, int], long_side_px: int | None) -> tuple[int, int]:
    """The least (width, height) that a JPEG has to be decoded to."""
    width, height = size if long_side_px is None else fit_size(size, long_side_px)
    least = math.isqrt(size[0] * size[1] // MAX_PIXELS) + 1 if _is_over(size) else 1
    return min(width, size[0] // least), min(height, size[1] // least)


def _is_over(size: tuple[int, int]) -> bool:
    return size[0] * size[1] > MAX_PIXELS


def jpeg_reduction(size: tuple[int, int], least: tuple[int, int]) -> int:
    """What libjpeg divides both sides by to come near `least`, and not below."""
    factor = min(size[0] // max(1, least[0]), size[1] // max(1, least[1]))
    return next((power for power in (8, 4, 2) if factor >= power), 1)
