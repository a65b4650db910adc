"""The optimiser of one scale."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from models.neighbours.objective import Objective
from models.neighbours.pyramid import collapse, pyramid

_REST = 0.5
"""Gradients far below this, over the image's pixels, hardly move it: Adam would make steps of one
size of them too, and plain areas would grow grain. Typical ones begin at 10, and double with every
level of the pyramid."""
_BETAS = 0.8, 0.999
"""Adam's: with ten steps a scale there is no time to swing out of an old direction."""
_RISE = 1.1
"""A loss that rises by more says that the steps are too large, because the image was at its best
already: the style is one colour, or the photo itself. The rate is cut to a quarter each time."""


def descend(
    start: Tensor, objective: Objective, steps: int, learning_rate: float
) -> Iterator[tuple[Tensor, float]]:
    """Adam on the pyramid of `start` (1, 3, H, W), one evaluation of the objective a step.

    After each step the image (1, 3, H, W), 0-1, and the loss before it. Raises DivergedError.
    """
    levels = [level.detach().clone().requires_grad_() for level in pyramid(start)]
    groups = [
        {"params": [level], "eps": _REST * 2**number / start[0, 0].numel()}
        for number, level in enumerate(levels)
    ]
    optimizer = torch.optim.Adam(groups, lr=learning_rate, betas=_BETAS)
    before = math.inf
    for _ in range(steps):
        optimizer.zero_grad()
        loss = objective.backward(collapse(levels))
        if loss > _RISE * before:
            for group in optimizer.param_groups:
                group["lr"] /= 4
        before = loss
        optimizer.step()
        with torch.no_grad():
            yield collapse(levels).clamp(0, 1), loss
