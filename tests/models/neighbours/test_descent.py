"""The optimiser's steps are Adam's, and a rate that is too high is cut."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from models.neighbours.descent import descend
from models.neighbours.objective import Objective
from models.neighbours.pyramid import collapse, pyramid
from tests.models.tiny_encoder import random_image


class Towards:
    """Half the squared distance to a picture, times `weight`."""

    def __init__(self, picture: Tensor, *, weight: float = 100.0) -> None:
        self._picture, self._weight = picture, weight

    def backward(self, image: Tensor) -> float:
        loss = self._weight * (image - self._picture).square().sum() / 2
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())


def steps(start: Tensor, towards: Towards, count: int, rate: float) -> list[tuple[Tensor, float]]:
    return list(descend(start, cast("Objective", towards), count, rate))


def test_steps_are_those_of_torchs_adam() -> None:
    start, towards = random_image(40, 56, seed=1), Towards(random_image(40, 56, seed=2))
    ours = steps(start, towards, 4, 0.01)
    levels = [level.clone().requires_grad_() for level in pyramid(start)]
    adam = torch.optim.Adam(
        [
            {"params": [level], "eps": 0.5 * 2**number / start[0, 0].numel()}
            for number, level in enumerate(levels)
        ],
        lr=0.01,
        betas=(0.8, 0.999),
    )
    for image, loss in ours:
        adam.zero_grad()
        assert loss == towards.backward(collapse(levels))
        adam.step()
        torch.testing.assert_close(image, collapse(levels).detach().clamp(0, 1))


def test_a_loss_that_rises_cuts_the_rate() -> None:
    start = random_image(40, 56, seed=1)
    (first, before), (second, after) = steps(start, Towards(0.98 * start + 0.01), 2, 0.05)
    assert after > 10 * before
    assert (second - first).abs().mean() < (first - start).abs().mean() / 3
