"""Painting coarse to fine: how far down the scales go."""

from __future__ import annotations

from models.encoders import MIN_SIDE_PX
from models.tensors.images import Size


def can_be_halved(size: Size, *, coarsest_px: int) -> bool:
    """Whether half of `size` is a scale too.

    Its long side must be `coarsest_px` or more, and an encoder must be able to read its short one.
    """
    return max(size) >= 2 * coarsest_px and min(size) >= 2 * MIN_SIDE_PX
