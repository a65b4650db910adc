"""Perceptual losses: pure functions of activations (N, C, H, W) and pictures (1, 3, H, W).

All are relative to the size of what they compare with, so that one weight means the same for
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


def content_loss(features: Tensor, target: Tensor, energy: Tensor) -> Tensor:
    """Squared difference of two feature maps over `energy`, the sum of squares of the target.

    Additive over the pieces of a picture, if `energy` is the whole picture's.
    """
    return (features - target).square().sum() / (energy + _TINY)


def total_variation(image: Tensor) -> Tensor:
    """Mean squared difference of neighbouring pixels, over both directions."""
    down = image[..., 1:, :] - image[..., :-1, :]
    right = image[..., :, 1:] - image[..., :, :-1]
    return down.square().mean() + right.square().mean()
