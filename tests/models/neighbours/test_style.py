"""What is sampled of a style picture against the whole of it, and mixtures of styles."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor

from models.neighbours import style as style_module
from models.neighbours.columns import (
    COLUMN_LAYERS,
    Statistics,
    TiledFeatures,
    grid_maps,
    rows,
)
from models.neighbours.style import (
    FINE_LAYERS,
    GRAM_LAYERS,
    StyleSamples,
    pool,
    sample_style,
)
from models.neighbours.vote import patches_at
from models.tensors.gram import gram_matrix
from models.tensors.images import Size, image_size
from models.tensors.tiles import tiles_for
from tests.models.tiny_encoder import random_image, tiny_encoder

DEEP = 16
"""Channels of the tiny encoder's stage 4, the last ones of a column."""


def _sampled(
    size: Size = (64, 80), *, image: int = 0, samples: int = 100, seed: int = 0, light: float = 1
) -> StyleSamples:
    return sample_style(
        tiny_encoder(), light * random_image(*size, seed=image), samples=samples, seed=seed
    )


def _places(found: Tensor, whole: Tensor) -> Tensor:
    """Where in `whole` (N, C) each row of `found` (K, C) is."""
    exact = "donot_use_mm_for_euclid_dist"
    distances, places = torch.cdist(found, whole, compute_mode=exact).min(1)
    assert distances.max() < 1e-4
    return places


def _all_columns(image: Tensor) -> Tensor:
    features = TiledFeatures(tiny_encoder(), image, COLUMN_LAYERS, tiles_for(image_size(image)))
    return rows(Statistics.of(features).scaled(grid_maps(features.of(0))))


@pytest.mark.parametrize("size", [(64, 80), (67, 50), (16, 16)])
def test_samples_are_columns_and_patches_of_the_same_places(size: Size) -> None:
    image = random_image(*size)
    sampled = _sampled(size, samples=50)
    whole = _all_columns(image)
    places = _places(sampled.keys, whole)
    assert len(set(places.tolist())) == len(places) == min(50, len(whole))
    assert torch.equal(sampled.patches, patches_at(image, places))


def test_fine_samples_are_places_of_their_layers() -> None:
    sampled = _sampled()
    features = tiny_encoder()(random_image(64, 80), FINE_LAYERS)
    for name, positions in zip(FINE_LAYERS, (64 * 80, 32 * 40, 16 * 20, 8 * 10), strict=True):
        whole = rows([features[name]])
        assert len(whole) == positions
        assert len(sampled.fine[name]) == min(100, positions)
        _places(sampled.fine[name], whole)
        torch.testing.assert_close(sampled.fine_means[name], whole.mean(0))


def test_gram_matrices_are_of_the_whole_picture() -> None:
    features = tiny_encoder()(random_image(64, 80), GRAM_LAYERS)
    grams = _sampled(samples=1).grams
    assert set(grams) == set(GRAM_LAYERS)
    for name in GRAM_LAYERS:
        torch.testing.assert_close(grams[name], gram_matrix(features[name]))


def test_of_a_small_picture_every_place_is_taken_once() -> None:
    sampled = _sampled((32, 48), samples=10_000)
    assert len(sampled.keys) == len(sampled.patches) == 96
    places = _places(sampled.keys, _all_columns(random_image(32, 48)))
    assert sorted(places.tolist()) == list(range(96))


def test_pieces_give_the_whole_s_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for stage 4 at the borders of pieces, where it is interpolated."""
    whole = _sampled((330, 410), samples=400)
    monkeypatch.setattr(style_module, "tiles_for", partial(tiles_for, tile_pixels=200 * 200))
    pieces = _sampled((330, 410), samples=400)
    assert torch.equal(pieces.patches, whole.patches)
    close = (pieces.keys - whole.keys).abs() < 1e-4
    assert close[:, :-DEEP].all()
    assert close.all(1).float().mean() > 0.8
    for name in FINE_LAYERS:
        torch.testing.assert_close(pieces.fine[name], whole.fine[name], atol=1e-4, rtol=1e-4)
    for name in GRAM_LAYERS:
        torch.testing.assert_close(pieces.grams[name], whole.grams[name], atol=1e-4, rtol=1e-4)


def test_the_seed_says_which_places_are_taken() -> None:
    first, again, other = (_sampled(seed=seed) for seed in (3, 3, 4))
    assert torch.equal(first.keys, again.keys)
    assert all(torch.equal(first.fine[name], again.fine[name]) for name in FINE_LAYERS)
    assert not torch.equal(first.keys, other.keys)
    assert not any(torch.equal(first.fine[name], other.fine[name]) for name in FINE_LAYERS)
    assert len(_sampled(seed=-5).keys) == len(_sampled(seed=2**80).keys) == 100


def test_the_bytes_of_all_samples_are_counted() -> None:
    sampled = _sampled(samples=10)
    fine = sum(channels for channels in (4, 6, 8, 8))
    assert sampled.nbytes == 10 * 4 * (60 + 3 * 12 * 12 + fine)


def test_a_pool_of_one_style_is_that_style() -> None:
    part = _sampled()
    single = pool([part], [0.2])
    assert single.weights == [1]
    assert single.sizes == pytest.approx(list(part.statistics.sizes.values()))
    torch.testing.assert_close(single.keys, part.keys)
    torch.testing.assert_close(single.mean, part.statistics.mean)
    assert torch.equal(single.patches, part.patches)
    for name in FINE_LAYERS:
        assert torch.equal(single.fine[name], part.fine[name])
        assert torch.equal(single.fine_means[name], part.fine_means[name])
    for name in GRAM_LAYERS:
        assert torch.equal(single.grams[name], part.grams[name])


@pytest.mark.parametrize("weights", [(1, 1), (0.1, 3), (7, 0.01)])
def test_a_style_mixed_with_itself_stays_itself(weights: tuple[float, float]) -> None:
    part = _sampled()
    mixed = pool([part, part], weights)
    assert mixed.sizes == pytest.approx(list(part.statistics.sizes.values()))
    torch.testing.assert_close(mixed.mean, part.statistics.mean)
    torch.testing.assert_close(mixed.keys, part.keys.repeat(2, 1))
    for name in FINE_LAYERS:
        torch.testing.assert_close(mixed.fine_means[name], part.fine_means[name])
    for name in GRAM_LAYERS:
        torch.testing.assert_close(mixed.grams[name], part.grams[name])


def test_weights_need_not_add_up_to_one() -> None:
    parts = [_sampled(), _sampled(image=1)]
    small, large = pool(parts, [0.25, 0.75]), pool(parts, [10, 30])
    assert small.weights == large.weights == [0.25, 0.75]
    torch.testing.assert_close(small.keys, large.keys)


def test_a_mixture_measures_both_styles_with_one_measure() -> None:
    """The same lengths as in the pictures themselves, over sizes between the two styles'."""
    parts = [_sampled(), _sampled((48, 48), image=1, light=0.3)]
    mixed = pool(parts, [1, 3])
    begin = 0
    for number, layer in enumerate(COLUMN_LAYERS):
        one, two = (part.statistics.sizes[layer] for part in parts)
        assert mixed.sizes[number] == pytest.approx(0.25 * one + 0.75 * two)
        channels = slice(begin, begin + parts[0].statistics.layer_means[layer].shape[1])
        raw = torch.cat([parts[0].keys[:, channels] * one, parts[1].keys[:, channels] * two])
        torch.testing.assert_close(mixed.keys[:, channels] * mixed.sizes[number], raw)
        means = [part.statistics.mean[channels] for part in parts]
        torch.testing.assert_close(
            mixed.mean[channels] * mixed.sizes[number],
            0.25 * means[0] * one + 0.75 * means[1] * two,
        )
        begin = channels.stop
    assert begin == 60
    for name in GRAM_LAYERS:
        expected = 0.25 * parts[0].grams[name] + 0.75 * parts[1].grams[name]
        torch.testing.assert_close(mixed.grams[name], expected)


def test_each_part_of_a_mixture_is_searched_by_itself() -> None:
    parts = [_sampled(samples=30), _sampled((48, 48), image=1, samples=50, light=0.3)]
    mixed = pool(parts, [1, 2])
    assert mixed.offsets == [0, 30]
    assert [len(directions) for directions in mixed.directions] == [30, 50]
    for directions, part in zip(mixed.directions, parts, strict=True):
        torch.testing.assert_close(directions.norm(dim=1), torch.ones(len(directions)))
        seen = part.keys - part.statistics.mean
        torch.testing.assert_close(directions * seen.norm(dim=1, keepdim=True), seen)
    assert torch.equal(mixed.patches[30:], parts[1].patches)


def test_a_style_s_part_of_the_fine_features_is_its_share() -> None:
    parts = [_sampled(samples=60), _sampled(image=1, samples=60)]
    mixed = pool(parts, [1, 3])
    for name in FINE_LAYERS:
        assert torch.equal(mixed.fine[name][:20], parts[0].fine[name][:20])
        assert torch.equal(mixed.fine[name][20:], parts[1].fine[name])
    tiny = pool(parts, [1e-6, 1])
    assert all(len(tiny.fine[name]) == 61 for name in FINE_LAYERS)
