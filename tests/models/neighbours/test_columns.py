"""Hypercolumns against averages worked out by hand, and pieces of a picture against the whole."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
import torch
from torch import Tensor

from models.encoders import Encoder, vgg_modules
from models.engine.fast_encoder import FastEncoder
from models.neighbours.columns import (
    COLUMN_LAYERS,
    Statistics,
    TiledFeatures,
    grid_maps,
    grid_size,
    rows,
    unit,
)
from models.tensors.tiles import tiles_for
from tests.models.tiny_encoder import WIDTHS, random_image, tiny_encoder


def _features(grid: tuple[int, int], deep: Tensor) -> dict[str, Tensor]:
    """One channel a layer that counts its positions; `deep` is stage 4."""
    found = {}
    for layer in COLUMN_LAYERS:
        factor = {"1": 4, "2": 2, "3": 1}.get(layer[4])
        if factor is None:
            found[layer] = deep
        else:
            height, width = grid[0] * factor, grid[1] * factor
            found[layer] = torch.arange(float(height * width)).view(1, 1, height, width)
    return found


def _maps(features: dict[str, Tensor]) -> dict[str, Tensor]:
    return dict(zip(COLUMN_LAYERS, grid_maps(features), strict=True))


def _tiled(image: Tensor, *, tile_pixels: int = 10**9) -> TiledFeatures:
    size = image.shape[-2], image.shape[-1]
    return TiledFeatures(
        tiny_encoder(), image, COLUMN_LAYERS, tiles_for(size, tile_pixels=tile_pixels)
    )


def test_shallow_layers_are_averaged_and_deep_ones_interpolated() -> None:
    maps = _maps(_features((2, 4), torch.tensor([[[[0.0, 4.0]]]])))
    blocks = [[25.5, 29.5, 33.5, 37.5], [89.5, 93.5, 97.5, 101.5]]  # 4 x 4 of 8 x 16
    assert maps["relu1_1"][0, 0].tolist() == maps["relu1_2"][0, 0].tolist() == blocks
    blocks = [[4.5, 6.5, 8.5, 10.5], [20.5, 22.5, 24.5, 26.5]]  # 2 x 2 of 4 x 8
    assert maps["relu2_1"][0, 0].tolist() == maps["relu2_2"][0, 0].tolist() == blocks
    assert maps["relu3_2"][0, 0].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert maps["relu4_1"][0, 0].tolist() == maps["relu4_2"][0, 0].tolist() == [[0, 1, 3, 4]] * 2


def test_where_the_deep_layers_fall_short_their_border_is_repeated() -> None:
    maps = _maps(_features((3, 5), torch.tensor([[[[0.0, 4.0]]]])))
    assert maps["relu4_2"][0, 0].tolist() == [[0, 1, 3, 4, 4]] * 3


@pytest.mark.parametrize("size", [(64, 48), (67, 50), (16, 16), (31, 18)])
def test_a_picture_of_one_colour_has_the_same_column_everywhere(size: tuple[int, int]) -> None:
    encoder = tiny_encoder()
    maps = grid_maps(encoder(torch.full((1, 3, *size), 0.3), COLUMN_LAYERS))
    columns = rows(maps)
    assert columns.shape == (size[0] // 4 * (size[1] // 4), sum(each.shape[1] for each in maps))
    assert grid_size(size) == tuple(maps[0].shape[-2:])
    assert columns[0].norm() > 0.1
    torch.testing.assert_close(columns, columns[:1].expand_as(columns), atol=1e-5, rtol=1e-5)


def test_rows_go_along_the_picture_s_rows_and_hold_all_layers() -> None:
    one = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    two = torch.tensor([[[[5.0, 6.0], [7.0, 8.0]], [[9.0, 10.0], [11.0, 12.0]]]])
    assert rows([one, two]).tolist() == [[1, 5, 9], [2, 6, 10], [3, 7, 11], [4, 8, 12]]


def test_directions_are_seen_from_the_mean() -> None:
    directions = unit(torch.tensor([[4.0, 5.0], [1.0, 1.0]]), torch.tensor([1.0, 1.0]))
    torch.testing.assert_close(directions, torch.tensor([[0.6, 0.8], [0.0, 0.0]]))


@pytest.mark.parametrize("size", [(330, 410), (403, 301)])
def test_pieces_of_a_picture_give_the_whole_s_maps(size: tuple[int, int]) -> None:
    """One position at each border of a piece is left out: stage 4 is interpolated there."""
    image = random_image(*size)
    whole = grid_maps(_tiled(image).of(0))
    pieces = _tiled(image, tile_pixels=200 * 200)
    assert len(pieces.tiles) > 3
    seen = 0
    for tile, features in zip(pieces.tiles, pieces, strict=True):
        top, left = tile.rows.core_start // 4, tile.columns.core_start // 4
        for layer, part, expected in zip(COLUMN_LAYERS, grid_maps(features), whole, strict=True):
            height, width = part.shape[-2:]
            same = expected[..., top : top + height, left : left + width]
            edge = 1 if layer.startswith("relu4") else 0
            torch.testing.assert_close(
                part[..., edge : height - edge, edge : width - edge],
                same[..., edge : height - edge, edge : width - edge],
                atol=1e-4,
                rtol=1e-4,
            )
        seen += height * width
    assert seen == grid_size(size)[0] * grid_size(size)[1]


def test_statistics_by_the_plain_formula() -> None:
    image = random_image(50, 67)
    found = tiny_encoder()(image, COLUMN_LAYERS)
    statistics = Statistics.of(_tiled(image))
    assert list(statistics.sizes) == list(COLUMN_LAYERS)
    for layer, size in statistics.sizes.items():
        lengths = found[layer][0].flatten(1).norm(dim=0)
        assert size == pytest.approx(float(lengths.square().mean().sqrt()), rel=1e-4)
        torch.testing.assert_close(
            statistics.layer_means[layer], found[layer].mean((2, 3), keepdim=True)
        )
    scaled = statistics.scaled(grid_maps(found))
    torch.testing.assert_close(rows(scaled).mean(0), statistics.mean, atol=1e-5, rtol=1e-4)
    # The layer that lies on the grid already: of length 1 in the mean square.
    assert float(scaled[4].square().sum(1).mean()) == pytest.approx(1, rel=1e-4)


def test_statistics_over_pieces_are_the_whole_s() -> None:
    image = random_image(330, 410)
    image[..., 200:] *= 0.3  # the pieces differ
    whole, pieces = Statistics.of(_tiled(image)), Statistics.of(_tiled(image, tile_pixels=200**2))
    assert pieces.sizes == pytest.approx(whole.sizes, rel=1e-4)
    torch.testing.assert_close(pieces.mean, whole.mean, atol=1e-3, rtol=1e-3)
    for layer, mean in whole.layer_means.items():
        torch.testing.assert_close(pieces.layer_means[layer], mean, atol=1e-4, rtol=1e-4)


def test_an_encoder_that_sees_nothing_divides_by_no_zero() -> None:
    encoder = tiny_encoder()
    for parameter in encoder.parameters():
        parameter.zero_()
    features = TiledFeatures(encoder, random_image(32, 32), COLUMN_LAYERS, tiles_for((32, 32)))
    statistics = Statistics.of(features)
    assert all(size > 0 for size in statistics.sizes.values())
    assert rows(statistics.scaled(grid_maps(features.of(0)))).isfinite().all()


class _CountingEncoder(Encoder):
    passes = 0

    def forward(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        self.passes += 1
        return super().forward(image, layers)


@pytest.mark.parametrize(("tile_pixels", "passes"), [(10**9, 1), (200 * 200, 6)])
def test_one_piece_is_encoded_once_and_many_anew(tile_pixels: int, passes: int) -> None:
    encoder = _CountingEncoder(vgg_modules(WIDTHS))
    tiles = tiles_for((270, 280), tile_pixels=tile_pixels)
    features = TiledFeatures(encoder, random_image(270, 280), ["relu1_1"], tiles)
    for _ in range(passes):
        found = list(features)
        assert len(found) == len(tiles)
    assert encoder.passes == len(tiles) * (1 if len(tiles) == 1 else passes)
    assert not found[0]["relu1_1"].requires_grad


@pytest.mark.parametrize("tile_pixels", [10**9, 200 * 200])
def test_half_precision_is_kept_as_such_and_read_in_single(tile_pixels: int) -> None:
    """At 1024 px the activations of photo and painting are most of what the match holds."""
    encoder = FastEncoder(tiny_encoder(), half=True, graphs=False)
    image, tiles = random_image(256, 256), tiles_for((256, 256), tile_pixels=tile_pixels)
    features = TiledFeatures(encoder, image, ["relu2_2"], tiles)
    for number, tile in enumerate(tiles):
        kept = tile.encode(encoder, image, ["relu2_2"], single=False)["relu2_2"]
        assert kept.dtype is torch.bfloat16
        for _ in range(2):
            read = features.of(number)["relu2_2"]
            assert read.dtype is torch.float32
            assert torch.equal(read, kept.float())
