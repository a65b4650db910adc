"""Gram matrices of activations (N, C, H, W) and the loss between them.

The loss is relative to the size of what it compares with, so that one weight means the same for
every layer, encoder and picture size.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_TINY = 1e-8


def gram_sum(features: Tensor) -> Tensor:
    """Products of all pairs of channels, summed over the positions: (N, C, H, W) to (N, C, C).

    Additive over the pieces of a picture.
    """
    total: Tensor = _GramSum.apply(features.flatten(2))  # type: ignore[no-untyped-call]
    return total


class _GramSum(torch.autograd.Function):
    """The product of `flat` (N, C, positions) with itself, one product and not two on the way back.

    The gradient has the layout of the maps: another one costs whatever comes before a copy.
    """

    @staticmethod
    def forward(ctx: Any, flat: Tensor) -> Tensor:
        ctx.save_for_backward(flat)
        return flat @ flat.mT

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        flat: Tensor = ctx.saved_tensors[0]
        both = slope + slope.mT
        channels_last = flat.stride(1) == 1
        return (flat.mT @ both).mT if channels_last else both @ flat


def gram_matrix(features: Tensor) -> Tensor:
    """Products of all pairs of channels, averaged over the positions: (N, C, H, W) to (N, C, C).

    Gatys, Ecker & Bethge, "Image Style Transfer Using Convolutional Neural Networks" (2016);
    over H * W, so that pictures of any two sizes compare.
    """
    return gram_sum(features) / (features.shape[-2] * features.shape[-1])


def style_loss(gram: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference of two Gram matrices over the mean square of the target's."""
    return (gram - target).square().mean() / (target.square().mean() + _TINY)
