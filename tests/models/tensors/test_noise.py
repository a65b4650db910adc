"""Seeds and the random numbers that follow them."""

from __future__ import annotations

import pytest
import torch

from models.tensors.noise import seeded


@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1, 2**63, 2**80 + 5, -1])
def test_any_whole_number_is_a_seed(seed: int) -> None:
    one, again = (torch.rand(4, generator=seeded(seed)) for _ in range(2))
    assert one.equal(again)


def test_other_seeds_give_other_numbers() -> None:
    assert not torch.rand(4, generator=seeded(1)).equal(torch.rand(4, generator=seeded(2)))
