"""How many optimiser steps at which scale."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from models.interface import Quality
from models.tensors.images import Size
from models.tensors.scales import can_be_halved

_COARSEST_PX = 96
"""No scale's long side is shorter: from 48 px on the photo's forms go."""

_STEPS_BY_LONG_SIDE_PX = ((256, 10), (448, 9), (512, 8), (1024, 7), (2048, 4), (4096, 2))
"""`standard`: the vote makes nearly all of the picture, so a few steps at each scale do."""
_EFFORT = {Quality.DRAFT: 0.4, Quality.STANDARD: 1.0, Quality.HIGH: 3.0}
"""Times those steps. Only where its network can't be used is a draft painted in steps."""


def scale_sizes(size: Size) -> list[Size]:
    """Scales from coarse to fine, each about twice the last; the last one is `size`."""
    sizes = [size]
    while can_be_halved(sizes[0], coarsest_px=_COARSEST_PX):
        height, width = sizes[0]
        sizes.insert(0, (round(height / 2), round(width / 2)))
    return sizes


def scale_steps(sizes: Sequence[Size], quality: Quality, steps: int | None = None) -> list[int]:
    """Steps for each of `sizes` and, at the end, for the last pass: `steps` in all if given."""
    long_sides = [max(size) for size in sizes]
    worth = [
        max(1, round(_steps_at(side) * _EFFORT[quality])) for side in [*long_sides, long_sides[-1]]
    ]
    if steps is None:
        return worth
    # Rounding the running sums and not the shares keeps the total exact.
    marks = [round(steps * done / sum(worth)) for done in accumulate(worth, initial=0)]
    return [after - before for before, after in pairwise(marks)]


def _steps_at(long_side_px: int) -> int:
    return next(steps for limit, steps in _STEPS_BY_LONG_SIDE_PX if long_side_px <= limit)
