"""Pieces of a picture against the whole."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.tensors.tiles import MARGIN_PX, Tile, layer_stride, positions, tiles_for, tiles_of
from tests.models.tiny_encoder import random_image, tiny_encoder

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def _core_pixels(tile: Tile, seen: torch.Tensor) -> torch.Tensor:
    rows, columns = tile.rows, tile.columns
    return seen[rows.core_start : rows.core_stop, columns.core_start : columns.core_stop]


@settings(max_examples=60, deadline=None)
@given(st.integers(16, 700), st.integers(16, 700), st.integers(1, 200_000))
def test_every_pixel_belongs_to_one_core(height: int, width: int, tile_pixels: int) -> None:
    seen = torch.zeros(height, width, dtype=torch.int)
    for tile in tiles_for((height, width), tile_pixels=tile_pixels):
        _core_pixels(tile, seen).add_(1)
        for span in (tile.rows, tile.columns):
            assert span.start <= span.core_start < span.core_stop <= span.stop
            assert span.core_start - span.start in (0, MARGIN_PX)
    assert (seen == 1).all()


def test_a_small_picture_is_one_piece() -> None:
    assert len(tiles_for((300, 200))) == 1
    assert len(tiles_for((4000, 3000))) > 4


def test_cores_of_a_given_size_are_cut_and_put_back() -> None:
    image, copy = random_image(70, 50), torch.zeros(1, 3, 70, 50)
    tiles = tiles_of((70, 50), (32, 32), margin_px=8)
    assert [(tile.rows.core_start, tile.columns.core_start) for tile in tiles] == [
        (top, left) for top in (0, 32, 64) for left in (0, 32)
    ]
    for tile in tiles:
        tile.under(copy).copy_(tile.core(tile.cut(image)))
    assert copy.equal(image)
    assert tiles[3].cut(image).shape[-2:] == (8 + 32 + 6, 8 + 18)


def test_pieces_see_what_the_whole_shows() -> None:
    """Exactly so in the layers whose receptive field fits into the margin."""
    encoder = tiny_encoder()
    image = random_image(330, 410)
    whole = encoder(image, LAYERS)
    tiles = tiles_for((330, 410), tile_pixels=200 * 200)
    assert len(tiles) > 3
    for layer in LAYERS:
        counted = 0
        for tile in tiles:
            core = tile.encode(encoder, image, [layer])[layer]
            counted += core.shape[-2] * core.shape[-1]
            if layer != "relu5_1":
                stride = layer_stride(layer)
                top, left = tile.rows.core_start // stride, tile.columns.core_start // stride
                same = whole[layer][..., top : top + core.shape[-2], left : left + core.shape[-1]]
                torch.testing.assert_close(core, same, atol=1e-4, rtol=1e-4)
        assert counted == positions((330, 410), layer)
