"""The clips that flicker is measured on: their motion is what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.benchmarks.clip_scenes import SCENES, make_scene
from models.benchmarks.clips import (
    Pace,
    Steadiness,
    flicker,
    measure_pace,
    measure_steadiness,
    pace_table,
    steadiness_table,
)
from models.engine.loading import load_stylizer
from models.interface import Style, StyleOptions
from tests.models.tiny_encoder import photo_file, style_file


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_that_is_not_painted_does_not_flicker(name: str) -> None:
    random = np.random.default_rng(0)
    photo = Image.fromarray(random.integers(0, 255, (9, 12, 3), dtype=np.uint8))
    scene = make_scene(name, photo.resize((240, 180), Image.Resampling.BICUBIC), width=96, count=6)
    assert [frame.shape for frame in scene.frames] == [(64, 96, 3)] * 6
    steady = flicker(scene, scene.frames)
    if name == "noise":
        assert steady == pytest.approx(5 * 2 / np.pi**0.5, rel=0.1)
    else:
        assert steady < 1.5
        assert flicker(scene, scene.frames, moved=False) > 2 * steady


def test_clips_are_measured_steadied_and_timed(tmp_path: Path) -> None:
    photo = photo_file(tmp_path / "photo.png", (160, 120))
    style, options = Style(style_file(tmp_path / "style.png")), StyleOptions(size_px=64)
    stylizer = load_stylizer(encoder="slim", device="cpu")
    (row,) = measure_steadiness(
        stylizer,
        photo,
        {"stripes": (style, options)},
        scenes=["pan"],
        size_px=64,
        count=5,
        sheets=tmp_path,
    )
    assert row.flicker_after < row.flicker_before
    with Image.open(tmp_path / "pan-stripes.png") as sheet:
        assert sheet.size == (5 * 64, 3 * 42)
    (pace,) = measure_pace(stylizer, photo, style, options, seconds=[0.4])
    assert (pace.frames, pace.size_px) == (10, 64)
    assert pace.frames_per_s > 0
    assert pace.core_s_a_frame > 0


def test_the_tables() -> None:
    steady = Steadiness("swirls", "pan", 9.6, 2.1, 14, 0.7, 0.69)
    assert "| pan | swirls | 9.6 | 2.1 | 14.0 | 0.700 | 0.690 |" in steadiness_table([steady])
    pace = Pace(480, 15, 375, 6.1, 0.2, 90)
    assert "| 480 | 15 | 375 | 6.1 | 0.20 | 90 |" in pace_table([pace])
