"""Two terms of the objective as sums over positions, so that tiles add up to the whole."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

_TINY = 1e-12
_UNSURE = 1e-4
"""Share of the targets' mean square below which a direction is mostly rounding."""


class Target:
    """Where the vectors of one tile should go; only the sums that the loss needs."""

    def __init__(self, wanted: Sequence[Tensor], mean: Sequence[Tensor]) -> None:
        """`wanted` (1, C, h, w) and `mean` (1, C, 1, 1), a map a layer."""
        self.mean = mean
        self.move = [w - m for w, m in zip(wanted, mean, strict=True)]
        self.length = _dot(self.move, self.move).sqrt()
        self.offset = _along(self.move, mean)
        self.square = _dot(wanted, wanted)
        self.mean_square = float(sum(m.square().sum() for m in mean))


def _dot(one: Sequence[Tensor], other: Sequence[Tensor]) -> Tensor:
    """Products of vectors given as maps: (1, h, w)."""
    return torch.stack([(a * b).sum(1) for a, b in zip(one, other, strict=True)]).sum(0)


def _along(maps: Sequence[Tensor], vectors: Sequence[Tensor]) -> Tensor:
    """Products of maps (1, C, h, w) with one vector (1, C, 1, 1) each, summed: (1, h, w)."""
    products = [F.conv2d(each, v)[:, 0] for each, v in zip(maps, vectors, strict=True)]
    return torch.stack(products).sum(0)


def matched_loss(found: Sequence[Tensor], target: Target, energy: float) -> Tensor:
    """Sum over positions of 1 - cosine about the style's mean, and half the squared distance.

    The distance is over `energy`, the mean square of the whole picture's targets. Everything is
    worked out from three products a layer, so nothing the size of a column is made besides them.
    """
    along = _dot(found, target.move)
    middle = _along(found, target.mean)
    square = _dot(found, found)
    spread = (square - 2 * middle + target.mean_square).clamp_min(_TINY).sqrt()
    cosine = (along - target.offset) / (spread * target.length).clamp_min(_TINY)
    distance = square - 2 * (along + middle) + target.square
    # A target that is the style's mean itself lies in no direction from it.
    sure = target.length.square() / (target.length.square() + _UNSURE * energy)
    return ((1 - cosine) * sure).sum() + 0.5 * distance.sum() / energy


def structure_loss(found: Tensor, photo: Tensor, weight: Tensor) -> Tensor:
    """Sum over positions of `weight` (1, h, w) times 1 - cosine of features (1, C, h, w).

    Both are about their own picture's mean already: form without colour.
    """
    cosine = F.cosine_similarity(found, photo, dim=1)
    return ((1 - cosine) * weight).sum()
