"""A picture taken apart and put together again."""

from __future__ import annotations

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.neighbours.pyramid import LEVELS, collapse, pyramid
from models.tensors.images import image_size
from tests.models.tiny_encoder import random_image


@settings(max_examples=40, deadline=None)
@given(st.integers(16, 180), st.integers(16, 180))
@example(16, 16)
@example(17, 320)
@example(257, 131)
def test_the_levels_add_up_to_the_picture(height: int, width: int) -> None:
    image = random_image(height, width)
    levels = pyramid(image)
    assert len(levels) > 1
    assert image_size(levels[0]) == (height, width)
    torch.testing.assert_close(collapse(levels), image, atol=1e-5, rtol=0)


def test_each_level_is_half_the_one_before() -> None:
    sizes = [image_size(level) for level in pyramid(random_image(256, 200))]
    assert sizes == [(256, 200), (128, 100), (64, 50), (32, 25), (16, 12), (8, 6)]
    assert len(sizes) == LEVELS + 1


def test_a_plain_picture_lies_in_the_smallest_level_alone() -> None:
    *fine, smallest = pyramid(torch.full((1, 3, 64, 48), 0.4))
    assert all(level.abs().max() < 1e-6 for level in fine)
    torch.testing.assert_close(smallest, torch.full_like(smallest, 0.4))


def test_a_step_on_the_smallest_level_moves_the_whole_picture() -> None:
    image = random_image(64, 48)
    levels = pyramid(image)
    levels[-1] = levels[-1] + 0.1
    torch.testing.assert_close(collapse(levels), image + 0.1, atol=1e-5, rtol=0)


def test_the_gradient_reaches_every_level() -> None:
    levels = [level.requires_grad_() for level in pyramid(random_image(40, 33))]
    collapse(levels).sum().backward()  # type: ignore[no-untyped-call]
    for level in levels:
        assert level.grad is not None
        # Each pixel of a level stands for as many pixels of the picture, borders aside.
        assert float(level.grad.sum()) == pytest.approx(3 * 40 * 33, rel=1e-3)
