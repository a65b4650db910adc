"""Moving statistics: the linear map that gives one distribution another's mean and covariance.

Of all maps that do, the one that moves values least, the optimal transport between two Gaussians:
Pitié & Kokaram 2007 for colours ("The linear Monge-Kantorovitch linear colour mapping for
example-based colour transfer"), Lu et al. 2019 for an encoder's features ("A closed-form solution
to universal style transfer").
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from models.style_code import Moments

_SMALLEST = 1e-8
"""Rounding makes a covariance's smallest eigenvalues negative."""


class AffineMap(NamedTuple):
    """x to `there` @ x + `shift`, one for each picture."""

    there: Tensor
    """(N, C, C)"""
    shift: Tensor
    """(N, C)"""

    def then_scaled(self, mean: Tensor, deviation: Tensor) -> AffineMap:
        """This map, its results made (x - `mean`) / `deviation`, (C,) each."""
        return AffineMap(self.there / deviation[:, None], (self.shift - mean) / deviation)

    def __call__(self, maps: Tensor) -> Tensor:
        """`maps` (N, C, H, W) moved; channels last."""
        flat = maps.flatten(2).transpose(1, 2)
        moved = torch.baddbmm(self.shift[:, None], flat, self.there.transpose(1, 2))
        return moved.view(len(maps), *maps.shape[2:], -1).permute(0, 3, 1, 2)


def transport(have: Moments, want: Moments, noise: Tensor | float) -> AffineMap:
    """The map from the distributions `have` to `want` (N or 1 rows each).

    `noise` is the variance added to both sides, (N or 1, 1, 1): what a channel hardly has isn't
    blown up beyond that.
    """
    there = _symmetric_map(_noisy(have.covariance, noise), _noisy(want.covariance, noise))
    shift = want.mean - (there @ have.mean[:, :, None])[:, :, 0]
    return AffineMap(there, shift)


def _symmetric_map(have: Tensor, want: Tensor) -> Tensor:
    root, inverse = _roots(have)
    middle, _ = _roots(root @ want @ root)
    return inverse @ middle @ inverse


def _roots(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """The square root of symmetric matrices (N, C, C) and its inverse."""
    values, vectors = torch.linalg.eigh(matrix)
    values = values.clamp_min(_SMALLEST).sqrt()[:, None, :]
    back = vectors.transpose(1, 2)
    return vectors * values @ back, vectors / values @ back


def _noisy(covariance: Tensor, noise: Tensor | float) -> Tensor:
    return covariance + noise * torch.eye(covariance.shape[1], device=covariance.device)
