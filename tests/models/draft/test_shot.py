"""What frames of one shot have in common."""

from __future__ import annotations

from functools import partial

import torch

from models.draft.shot import Shot
from models.draft.style_code import Moments


def test_averages_follow_slowly_and_on_every_few_frames() -> None:
    shot = Shot()
    found = []
    for number in range(9):
        shot.begin_frame()
        found.append(float(shot.averaged("level", partial(torch.full, (1,), float(number)))))
    assert found[:4] == [0] * 4
    assert 0 < found[4] < 2
    assert found[4] == found[7] < found[8] < 4


def flat_layers(level: float) -> dict[str, Moments]:
    return {"a": Moments.of(torch.full((1, 2, 3, 3), level))}


def test_all_moments_of_a_mapping_are_averaged() -> None:
    shot = Shot()
    for level in (0.0, 0.0, 0.0, 0.0, 1.0):
        shot.begin_frame()
        moments = shot.averaged("layers", partial(flat_layers, level))
    assert 0 < float(moments["a"].mean.max()) < 1
    assert 0 < float(moments["a"].product.max()) < 1


def test_what_is_made_of_averages_is_kept_as_long_as_they_are() -> None:
    shot = Shot()
    made = []
    for _ in range(5):
        shot.begin_frame()
        made.append(shot.made("map", object))
    assert made[0] is made[3] is not made[4]
