"""Two terms of the objective as sums over positions, so that tiles add up to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

_TINY = 1e-12
_UNSURE = 1e-4
"""Share of the targets' mean square below which a direction is mostly rounding."""


class Target:
    """Where the vectors of one tile should go; only the sums that the loss needs."""

    def __init__(self, move: Sequence[Tensor], mean: Sequence[Tensor]) -> None:
        """`move` (1, C, h, w) from `mean` (1, C, 1, 1), a map a layer."""
        self.mean = mean
        self.move = move
        square = _dot(move, move)
        self.length = square.sqrt()
        self.offset = _along(move, mean)
        self.mean_square = float(sum(m.square().sum() for m in mean))
        self.square = square + 2 * self.offset + self.mean_square
        """(1, h, w) of the vector itself."""


def _dot(one: Sequence[Tensor], other: Sequence[Tensor]) -> Tensor:
    """Products of vectors given as maps: (1, h, w)."""
    return torch.stack([(a * b).sum(1) for a, b in zip(one, other, strict=True)]).sum(0)


def _along(maps: Sequence[Tensor], vectors: Sequence[Tensor]) -> Tensor:
    """Products of maps (1, C, h, w) with one vector (1, C, 1, 1) each, summed: (1, h, w)."""
    products = [F.conv2d(each, v)[:, 0] for each, v in zip(maps, vectors, strict=True)]
    return torch.stack(products).sum(0)


class _Products(torch.autograd.Function):
    """What `found` (1, C, h, w) has in common with a move, a mean and itself: three of (1, h, w).

    Torch's own way back goes over the maps seven times, and they are the step's largest.
    """

    @staticmethod
    def forward(
        ctx: Any,
        found: Tensor,
        move: Tensor,
        mean: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        ctx.save_for_backward(found, move, mean)
        return _dot([found], [move]), _along([found], [mean]), _dot([found], [found])

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any,
        along: Tensor,
        middle: Tensor,
        square: Tensor,
    ) -> tuple[Tensor, None, None]:
        found, move, mean = ctx.saved_tensors
        gradient = move * along[:, None]
        gradient.addcmul_(found, 2 * square[:, None]).addcmul_(mean, middle[:, None])
        return gradient, None, None


class _Comparison:
    """Vectors beside their target, all layers in one."""

    def __init__(self, found: Sequence[Tensor], target: Target) -> None:
        products = [
            _Products.apply(each, move, mean)  # type: ignore[no-untyped-call]
            for each, move, mean in zip(found, target.move, target.mean, strict=True)
        ]
        along, middle, square = (torch.stack(each).sum(0) for each in zip(*products, strict=True))
        spread = (square - 2 * middle + target.mean_square).clamp_min(_TINY).sqrt()
        self.cosine = (along - target.offset) / (spread * target.length).clamp_min(_TINY)
        """(1, h, w) about the target's mean."""
        self.distance = square - 2 * (along + middle) + target.square
        """(1, h, w) squared."""


def matched_loss(found: Sequence[Tensor], target: Target, energy: float) -> Tensor:
    """Sum over positions of 1 - cosine about the style's mean, and half the squared distance.

    `found` is a map (1, C, h, w) a layer. The distance is over `energy`, the mean square of the
    whole picture's targets.
    """
    compared = _Comparison(found, target)
    # A target that is the style's mean itself lies in no direction from it.
    sure = target.length.square() / (target.length.square() + _UNSURE * energy)
    return ((1 - compared.cosine) * sure).sum() + 0.5 * compared.distance.sum() / energy


def structure_loss(found: Tensor, target: Target, weight: Tensor) -> Tensor:
    """Sum over positions of `weight` (1, h, w) times 1 - cosine of features (1, C, h, w).

    `target` is the photo's directions about its own mean, as seen from the painting's: form without
    colour.
    """
    return ((1 - _Comparison([found], target).cosine) * weight).sum()
