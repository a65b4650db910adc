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

from models.draft.style_code import Moments


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


class Target(NamedTuple):
    """Where distributions are moved to, its covariance taken apart once for all of them."""

    mean: Tensor
    """(N, C)"""
    root: Tensor
    """(N, C, C): multiplied by itself transposed it is the covariance, noise included."""
    noise: Tensor
    """(N or 1, 1, 1)"""

    @classmethod
    def of(cls, want: Moments, noise: Tensor | float) -> Target:
        """The distributions `want`.

        `noise`, above 0, is the variance added to both sides, a number or (N, 1, 1): what a channel
        hardly has isn't blown up beyond that.
        """
        spread = torch.as_tensor(noise, device=want.mean.device).view(-1, 1, 1)
        values, vectors = _eigh(_noisy(want.covariance, spread))
        # A flat channel's variance is the difference of two equal numbers, and may be negative.
        root = vectors * values[:, None, :].maximum(spread).sqrt()
        return cls(want.mean, root, spread)


def transport(have: Moments, want: Target) -> AffineMap:
    """The map from the distributions `have` to `want` (N or 1 rows each).

    With `want`'s covariance as L L', the map is L (L' `have` L)^-1/2 L'.
    """
    values, vectors = _eigh(want.root.mT @ _noisy(have.covariance, want.noise) @ want.root)
    # No eigenvalue can be smaller than that; by rounding the smallest are, or even negative.
    values = values[:, None, :].maximum(want.noise.square())
    half = want.root @ vectors / values.sqrt().sqrt()
    there: Tensor = half @ half.mT
    return AffineMap(there, want.mean - (there @ have.mean[:, :, None])[:, :, 0])


def _noisy(covariance: Tensor, noise: Tensor) -> Tensor:
    return covariance + noise * torch.eye(covariance.shape[1], device=covariance.device)


def _eigh(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues and vectors of symmetric matrices (N, C, C)."""
    try:
        values, vectors = torch.linalg.eigh(matrices)
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
        # In single precision LAPACK gives up on some with many equal eigenvalues (silent channels).
        values, vectors = torch.linalg.eigh(matrices.double())
    return values.to(matrices), vectors.to(matrices)
