"""Gram matrices of activations (N, C, H, W) and the loss between them.

The loss is relative to the size of what it compares with, so that one weight means the same for
every layer, encoder and picture size.
"""

from __future__ import annotations

from torch import Tensor

_TINY = 1e-8


def gram_sum(features: Tensor) -> Tensor:
    """Products of all pairs of channels, summed over the positions: (N, C, H, W) to (N, C, C).

    Additive over the pieces of a picture.
    """
    flat = features.flatten(2)
    return flat @ flat.mT


def gram_matrix(features: Tensor) -> Tensor:
    """Products of all pairs of channels, averaged over the positions: (N, C, H, W) to (N, C, C).

    Gatys, Ecker & Bethge, "Image Style Transfer Using Convolutional Neural Networks" (2016);
    over H * W, so that pictures of any two sizes compare.
    """
    return gram_sum(features) / (features.shape[-2] * features.shape[-1])


def style_loss(gram: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference of two Gram matrices over the mean square of the target's."""
    return (gram - target).square().mean() / (target.square().mean() + _TINY)
