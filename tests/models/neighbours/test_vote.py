"""Patches cut out and laid down again."""

from __future__ import annotations

import pytest
import torch

from models.neighbours.columns import grid_size
from models.neighbours.vote import patches_at, vote
from models.tensors.images import Size
from tests.models.tiny_encoder import random_image


def _everywhere(grid: Size) -> torch.Tensor:
    return torch.arange(grid[0] * grid[1])


def test_a_patch_is_what_lies_round_its_place() -> None:
    image = random_image(32, 40)
    patches = patches_at(image, torch.tensor([0, 23])).view(2, 3, 12, 12)  # 10 to a row
    assert torch.equal(patches[1], image[0, :, 4:16, 8:20])
    corner = patches[0]
    assert torch.equal(corner[:, 4:, 4:], image[0, :, :8, :8])
    assert torch.equal(corner[:, :4, 4:], image[0, :, 1:5, :8].flip(1))  # mirrored


@pytest.mark.parametrize("size", [(48, 64), (16, 16), (64, 20), (50, 67), (19, 33), (47, 48)])
def test_with_every_patch_at_its_place_a_picture_votes_for_itself(size: Size) -> None:
    image, grid = random_image(*size), grid_size(size)
    voted = vote(patches_at(image, _everywhere(grid)), _everywhere(grid), grid, size)
    height, width = grid[0] * 4, grid[1] * 4
    assert voted.shape == image.shape
    torch.testing.assert_close(voted[..., :height, :width], image[..., :height, :width])
    # The few pixels beyond the grid repeat its border.
    below, beside = voted[..., height:, :width], voted[..., width:]
    torch.testing.assert_close(below, voted[..., height - 1 : height, :width].expand_as(below))
    torch.testing.assert_close(beside, voted[..., width - 1 : width].expand_as(beside))


@pytest.mark.parametrize("grid", [(1, 1), (2, 5), (12, 16)])
def test_one_plain_patch_everywhere_is_a_plain_picture(grid: Size) -> None:
    color = torch.tensor([0.2, 0.5, 0.9]).view(3, 1, 1)
    patches = torch.stack([torch.zeros(432), color.expand(3, 12, 12).flatten()])
    size = grid[0] * 4 + 1, grid[1] * 4
    voted = vote(patches, torch.ones(grid[0] * grid[1], dtype=torch.long), grid, size)
    torch.testing.assert_close(voted, color.expand(3, *size)[None])


def test_a_patch_weighs_most_in_its_middle() -> None:
    patches = torch.stack([torch.zeros(432), torch.ones(432)])
    chosen = torch.zeros(81, dtype=torch.long)
    chosen[4 * 9 + 4] = 1  # one white patch among black ones, over pixels 12 ... 24
    white = vote(patches, chosen, (9, 9), (36, 36))[0, 0]
    line = white[18]
    assert line.argmax() in range(16, 20)
    assert 0.25 < line.max() < 1
    assert (line[12:16].diff() > 0).all()
    assert (line[20:24].diff() < 0).all()
    assert (line[12:24] > 0).all()
    assert white[:12].max() == white[24:].max() == white[:, :12].max() == white[:, 24:].max() == 0
    torch.testing.assert_close(white, white.T)


def test_each_place_shows_the_patch_that_was_chosen_for_it() -> None:
    """The picture moved by one position: every place takes its right neighbour's patch."""
    image = random_image(40, 48)
    chosen = _everywhere((10, 12)).view(10, 12).roll(-1, 1).flatten()
    voted = vote(patches_at(image, _everywhere((10, 12))), chosen, (10, 12), (40, 48))
    torch.testing.assert_close(voted[..., :36], image[..., 4:40])
