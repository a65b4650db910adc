"""A photo in another picture's colours: the linear map that matches means and covariances.

Of the maps that do, the one that moves colours least (Pitié & Kokaram, "The linear
Monge-Kantorovitch linear colour mapping for example-based colour transfer", 2007).
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.style_code import Moments

_NOISE = 4e-4
"""Variance added to both sides, so that a nearly grey photo's noise isn't blown up to colours."""


def recolored(pictures: Tensor, colors: Moments, wanted: Moments) -> Tensor:
    """`pictures` (N, 3, H, W) that have `colors`, moved to the `wanted` ones (N or 1 rows)."""
    there = _color_map(_regular(colors.covariance), _regular(wanted.covariance))
    shift = wanted.mean[:, :, None] - there @ colors.mean[:, :, None]
    moved = torch.baddbmm(shift, there, pictures.flatten(2))
    return moved.view_as(pictures)


def _color_map(have: Tensor, want: Tensor) -> Tensor:
    root, inverse = _roots(have)
    middle, _ = _roots(root @ want @ root)
    return inverse @ middle @ inverse


def _roots(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """The square root of symmetric matrices (N, 3, 3) and its inverse."""
    values, vectors = torch.linalg.eigh(matrix)
    values = values.clamp_min(1e-8).sqrt()[:, None, :]
    back = vectors.transpose(1, 2)
    return vectors * values @ back, vectors / values @ back


def _regular(covariance: Tensor) -> Tensor:
    return covariance + _NOISE * torch.eye(3, device=covariance.device)
