"""Where things were in a shot's first frame, by the motions since."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from models.benchmarks.clip_scenes import make_scene
from models.clips.drift import Drift
from models.clips.frame_pixels import Pixels
from models.clips.motion import Field, MotionFinder


def photo() -> Image.Image:
    """Blobs of all sizes."""
    random = np.random.default_rng(0)
    whole = np.zeros((160, 240, 3))
    for cells, share in ((8, 0.5), (30, 0.5)):
        small = random.integers(0, 255, (cells, cells, 3), dtype=np.uint8)
        whole += share * np.asarray(Image.fromarray(small).resize((240, 160)))
    return Image.fromarray(whole.clip(0, 255).astype(np.uint8))


def drifts(frames: list[Pixels]) -> list[Field | None]:
    drift, finder, found = Drift(), MotionFinder(), list[Field | None]()
    for number, frame in enumerate(frames):
        motion = finder.find(frames[number - 1], frame) if number else None
        found.append(drift.after(motion))
    return found


def test_the_motions_of_a_pan_add_up_to_its_edges() -> None:
    first, *_, last = drifts(make_scene("pan", photo(), width=160, count=9).frames)
    assert first is None
    assert last is not None
    assert last.shape == (26, 40, 2)
    assert np.median(last[..., 0]) == pytest.approx(16, abs=1)
    # What comes in goes on as what it joins: else each new column had the same grain.
    assert last[5:-5, -1, 0] == pytest.approx(16, abs=3)
    assert np.abs(last[..., 1]).max() < 2


def test_a_cameras_noise_does_not_drift() -> None:
    last = drifts(make_scene("noise", photo(), width=160, count=9).frames)[-1]
    assert last is not None
    assert np.abs(last).mean() < 0.2


def test_where_a_zoom_would_make_grain_coarse_it_begins_anew() -> None:
    found = drifts(make_scene("zoom", photo(), width=160, count=60).frames)[1:]
    reach = [float(np.abs(each).max()) for each in found if each is not None]
    assert max(reach) > 15
    restarts = [number for number, each in enumerate(reach) if each == 0 and number]
    assert 1 <= len(restarts) <= 3


@pytest.mark.parametrize("size", [(1, 1), (2, 40), (40, 2)])
def test_any_shape_drifts(size: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    frames = [random.integers(0, 255, (*size, 3), dtype=np.uint8) for _ in range(3)]
    assert drifts(frames)[-1] is not None
