"""The search for neighbours on a circle, where angles can be read off, and on real columns."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.encoders import load_encoder
from models.neighbours.columns import COLUMN_LAYERS, grid_maps, rows, unit
from models.neighbours.match import Search, share_out
from tests.models.tiny_encoder import random_image, tiny_encoder


def _at(*degrees: float) -> Tensor:
    angles = torch.tensor(degrees) * math.pi / 180
    return torch.stack([angles.cos(), angles.sin()], 1)


def _directions(count: int, channels: int, *, seed: int = 0) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(count, channels, generator=random), dim=1)


def test_the_nearest_is_the_one_at_the_least_angle() -> None:
    distances, found = Search(_at(0, 90, 180))(_at(30, 60, 170, -100))
    assert found.tolist() == [0, 1, 2, 2]
    expected = [1 - math.cos(angle * math.pi / 180) for angle in (30, 30, 10, 80)]
    assert distances.tolist() == pytest.approx(expected, abs=1e-5)


def test_a_picture_searched_in_itself_finds_every_place() -> None:
    columns = rows(grid_maps(tiny_encoder()(random_image(96, 128), COLUMN_LAYERS)))
    keys = unit(columns, columns.mean(0))
    distances, found = Search(keys)(keys)
    assert found.tolist() == list(range(24 * 32))
    assert distances.abs().max() < 1e-4


def test_many_queries_are_answered_in_their_order() -> None:
    """Also where the search takes them in several portions."""
    keys, queries = _directions(300, 6), _directions(5000, 6, seed=1)
    distances, found = Search(keys)(queries)
    nearest = (queries @ keys.T).max(1)
    assert torch.equal(found, nearest.indices)
    torch.testing.assert_close(distances, 1 - nearest.values, atol=1e-5, rtol=0)


def test_long_vectors_that_fill_few_dimensions_are_searched_exactly() -> None:
    """However the search shortens long vectors, it may leave out only what they do not use."""
    basis = torch.linalg.qr(_directions(600, 30)).Q
    keys, queries = _directions(700, 30, seed=1) @ basis.T, _directions(900, 30, seed=2) @ basis.T
    distances, found = Search(keys)(queries)
    cosines = queries @ keys.T
    best = cosines.amax(1)
    torch.testing.assert_close(cosines.gather(1, found[:, None])[:, 0], best, atol=1e-3, rtol=0)
    torch.testing.assert_close(distances, 1 - best, atol=1e-3, rtol=0)


def test_columns_of_the_real_encoder_find_nearly_their_nearest(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    encoder = load_encoder("slim", cache_dir=tmp_path_factory.getbasetemp())
    smooth = F.interpolate(random_image(24, 24, seed=3), (128, 128), mode="bicubic").clamp(0, 1)
    columns = [rows(grid_maps(encoder(im, COLUMN_LAYERS))) for im in (smooth, random_image(96, 96))]
    columns = [each / each.norm(dim=1).mean() for each in columns]
    keys, queries = (unit(each, each.mean(0)) for each in columns)
    own = Search(keys)(keys)[1]
    assert (own == torch.arange(len(keys))).float().mean() > 0.97
    cosines = queries @ keys.T
    found = cosines.gather(1, Search(keys)(queries)[1][:, None])[:, 0]
    assert (cosines.amax(1) - found).mean() < 0.01


KEYS, QUERIES = _at(0, 60), _at(0, 29)
"""Both queries lie nearer to the first key, the second one only just."""


def _searched(completeness: float) -> list[int]:
    search = Search(KEYS, completeness=completeness)

    def queries() -> Iterator[Tensor]:
        yield QUERIES[:1]
        yield QUERIES[1:]

    search.survey(queries())
    found: list[int] = search(QUERIES)[1].tolist()
    return found


def test_completeness_makes_a_rarely_used_key_turn_up() -> None:
    """Over 0.1 plus the key's own least distance 0.125 becomes 1.25, and 0.143 becomes 0.59."""
    assert _searched(0) == _searched(10) == [0, 0]
    assert _searched(0.1) == [0, 1]


def test_without_completeness_nothing_is_surveyed() -> None:
    """It would cost as much as the search itself."""
    search = Search(KEYS)
    asked = []

    def queries() -> Iterator[Tensor]:
        asked.append(QUERIES)
        yield QUERIES

    search.survey(queries())
    assert not asked
    for found, expected in zip(search(QUERIES), Search(KEYS)(QUERIES), strict=True):
        assert torch.equal(found, expected)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.05, 1), min_size=2, max_size=5),
    st.integers(0, 1000),
    st.floats(0, 0.98),
    st.floats(0.001, 2),
)
@example(weights=[1.0, 0.5, 1.0, 1.0, 0.125], seed=0, alike=0.96875, size=1.0)
def test_every_style_gets_its_share(
    weights: list[float], seed: int, alike: float, size: float
) -> None:
    """Also where the styles agree about which positions are hard."""
    random = torch.Generator().manual_seed(seed)
    own = torch.rand(len(weights), 1500, generator=random)
    distances = size * ((1 - alike) * own + alike * torch.rand(1, 1500, generator=random))
    shares = torch.tensor(weights) / sum(weights)
    painter = share_out(distances, shares)
    have = torch.bincount(painter, minlength=len(weights)) / 1500
    assert (have - shares).abs().max() < 0.03


def test_each_style_paints_where_it_fits_best() -> None:
    random = torch.Generator().manual_seed(0)
    distances = torch.rand(2, 1000, generator=random)
    distances[1] += 5  # it never wins by itself
    painter = share_out(distances, torch.tensor([0.3, 0.7]))
    gain = distances[0] - distances[1]
    assert abs(int((painter == 0).sum()) - 300) < 15
    assert gain[painter == 0].max() < gain[painter == 1].min()


def test_a_style_with_a_clear_half_gets_it() -> None:
    distances = torch.tensor([[0.0, 0.1, 0.2, 0.9], [0.5, 0.5, 0.5, 0.5]])
    assert share_out(distances, torch.tensor([0.75, 0.25])).tolist() == [0, 0, 0, 1]
    assert share_out(distances, torch.tensor([0.5, 0.5])).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("distances", [torch.zeros(3, 50), torch.ones(3, 1), torch.zeros(1, 9)])
def test_equal_distances_are_shared_out_somehow(distances: Tensor) -> None:
    styles, positions = distances.shape
    painter = share_out(distances, torch.full((styles,), 1 / styles))
    assert painter.shape == (positions,)
    assert 0 <= painter.min() <= painter.max() < styles
