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
    levels = [
        _Level(level, rest=_REST * 2**number / start[0, 0].numel())
        for number, level in enumerate(pyramid(start))
    ]
    before = math.inf
    for _ in range(steps):
        loss = objective.backward(collapse([level.image for level in levels]))
        if loss > _RISE * before:
            learning_rate /= 4
        before = loss
        with torch.no_grad():
            for level in levels:
                level.step(learning_rate)
            yield collapse([level.image for level in levels]).clamp(0, 1), loss


class _Level:
    """One level of the pyramid, moved by Adam (Kingma & Ba 2015, algorithm 1).

    `torch.optim` would load torch's compiler: a second more before the first step of a process.
    """

    def __init__(self, image: Tensor, *, rest: float) -> None:
        """`rest` is Adam's epsilon."""
        self.image = image.detach().clone().requires_grad_()
        self._mean, self._square = torch.zeros_like(image), torch.zeros_like(image)
        self._rest = rest
        self._steps = 0

    def step(self, learning_rate: float) -> None:
        """Against the gradient that has been added to `image`; none is left there."""
        gradient, self.image.grad = self.image.grad, None
        if gradient is None:
            return
        self._steps += 1
        self._mean.lerp_(gradient, 1 - _BETAS[0])
        self._square.mul_(_BETAS[1]).addcmul_(gradient, gradient, value=1 - _BETAS[1])
        # Both began at zero.
        unbiased = [1 - beta**self._steps for beta in _BETAS]
        size = self._square.sqrt().div_(unbiased[1] ** 0.5).add_(self._rest)
        self.image.addcdiv_(self._mean, size, value=-learning_rate / unbiased[0])
