"""Scales and steps, and what a strength means."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.encoders import MIN_SIDE_PX
from models.engine.schedule import scale_sizes, scale_steps
from models.interface import Quality
from models.neighbours.recipe import Recipe
from models.strength import draft_share, loosened, style_share


@given(st.integers(16, 4096), st.integers(16, 4096))
def test_scales_grow_to_the_wanted_size(height: int, width: int) -> None:
    sizes = scale_sizes((height, width))
    assert sizes[-1] == (height, width)
    for small, large in pairwise(sizes):
        assert large[0] / small[0] == pytest.approx(2, rel=0.1)
        assert min(small) >= MIN_SIDE_PX


@given(st.integers(1, 2000), st.integers(64, 4096), st.sampled_from(Quality))
def test_steps_add_up_to_what_was_asked_for(steps: int, side: int, quality: Quality) -> None:
    sizes = scale_sizes((side, side))
    counts = scale_steps(sizes, quality, steps)
    assert len(counts) == len(sizes) + 1, "the last one is the last pass's"
    assert sum(counts) == steps
    assert min(counts) >= 0


def test_large_scales_get_fewer_steps_and_better_qualities_more() -> None:
    sizes = scale_sizes((2048, 1536))
    standard = scale_steps(sizes, Quality.STANDARD)
    assert standard == sorted(standard, reverse=True)
    assert standard[-1] < standard[0]
    assert sum(scale_steps(sizes, Quality.DRAFT)) < sum(standard)
    assert sum(standard) < sum(scale_steps(sizes, Quality.HIGH))


def test_strength_grows_without_a_jump() -> None:
    shares = [style_share(strength) for strength in range(101)]
    drafts = [draft_share(strength) for strength in range(101)]
    recipes = [loosened(Recipe(), strength) for strength in range(101)]
    factors = [recipe.structure / Recipe().structure for recipe in recipes]
    alphas = [recipe.alpha for recipe in recipes]
    assert (shares[0], shares[100]) == (0, 1)
    assert shares == sorted(shares)
    assert factors == sorted(factors, reverse=True)
    assert alphas == sorted(alphas, reverse=True)
    assert recipes[70] == Recipe()
    assert alphas[100] < alphas[70]
    assert max(b - a for a, b in pairwise(shares)) < 0.05
    assert (drafts[0], drafts[70]) == (0, 1)
    assert drafts == sorted(drafts)
    assert max(b - a for a, b in pairwise(drafts)) < 0.05
    assert max(a - b for a, b in pairwise(factors)) < 0.1
