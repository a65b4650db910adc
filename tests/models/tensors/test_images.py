"""Pictures and tensors, sizes, and the photo's colours."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from models.tensors.images import (
    Filter,
    image_size,
    luminance,
    resize,
    scaled_size,
    to_picture,
    to_tensor,
    with_colors_of,
    with_finer_detail,
)
from tests.models.tiny_encoder import random_image


def test_a_picture_survives_the_way_there_and_back() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    tensor = to_tensor(Image.fromarray(pixels))
    assert tensor.shape == (1, 3, 5, 7)
    assert 0 <= tensor.min() <= tensor.max() <= 1
    assert np.array_equal(np.asarray(to_picture(tensor)), pixels)


def test_values_outside_the_range_are_clipped() -> None:
    image = torch.tensor([-1.0, 0.5, 2.0]).view(1, 3, 1, 1)
    assert to_picture(image).getpixel((0, 0)) == (0, 128, 255)


@pytest.mark.parametrize(
    ("size", "long_side", "expected"), [((60, 80), 40, (30, 40)), ((200, 10), 40, (40, 2))]
)
def test_scaled_size(size: tuple[int, int], long_side: int, expected: tuple[int, int]) -> None:
    image = torch.zeros(1, 3, *size)
    assert scaled_size(image, long_side) == expected
    assert image_size(resize(image, expected)) == expected


def test_shrinking_averages_a_fine_pattern() -> None:
    checkers = (torch.arange(64)[:, None] + torch.arange(64)) % 2
    image = checkers.float().expand(1, 3, 64, 64)
    assert resize(image, (8, 8))[..., 2:-2, 2:-2].sub(0.5).abs().max() < 0.02


@pytest.mark.parametrize("mode", ["bicubic", "bilinear"])
def test_a_smaller_painting_gets_the_larger_one_s_finer_detail(mode: Filter) -> None:
    above = random_image(80, 120, seed=3)
    below = resize(above, (40, 60))
    torch.testing.assert_close(with_finer_detail(below, below, above, mode=mode), above)
    brighter = with_finer_detail(below + 0.25, below, above, mode=mode)
    torch.testing.assert_close(brighter, above + 0.25)
    assert with_finer_detail(above - 0.1, above, above, mode=mode).equal(above - 0.1)


def test_the_photo_s_colours_with_the_painting_s_light() -> None:
    painting, photo = random_image(6, 6, seed=1), random_image(6, 6, seed=2)
    mixed = with_colors_of(painting, photo)
    assert 0 <= mixed.min() <= mixed.max() <= 1 + 1e-6
    torch.testing.assert_close(luminance(mixed), luminance(painting))
    own = photo - luminance(photo)
    moved = mixed - luminance(mixed)
    # Every hue points where the photo's does, if less far.
    torch.testing.assert_close(
        torch.cosine_similarity(own, moved), torch.ones(1, 6, 6), atol=1e-3, rtol=0
    )
    assert (moved.norm(dim=1) <= own.norm(dim=1) + 1e-5).all()


def test_a_grey_photo_stays_grey() -> None:
    grey = random_image(4, 4)[:, :1].expand(1, 3, 4, 4)
    mixed = with_colors_of(random_image(4, 4, seed=3), grey)
    torch.testing.assert_close(mixed, luminance(mixed).expand_as(mixed))
