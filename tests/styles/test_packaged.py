"""The nine presets that everybody gets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.pictures.reading import open_picture
from styles.catalog import Preset, default_catalog
from styles.drawing.programs import PROGRAMS

PRESETS = default_catalog().presets()
by_slug = pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.slug)


def test_there_are_nine_without_problems() -> None:
    assert [preset.slug for preset in PRESETS] == list(PROGRAMS)
    assert default_catalog().problems == ()


@by_slug
def test_a_preset_is_complete(preset: Preset) -> None:
    assert set(preset.names) == set(preset.descriptions)
    assert preset.names["ru"] != preset.names["en"]
    assert preset.licence == "CC0-1.0"
    program = Path(preset.credit.removeprefix("Drawn by "))
    assert (Path(__file__).parents[2] / program).is_file()


@by_slug
def test_a_style_picture_is_large_and_lively(preset: Preset) -> None:
    picture = open_picture(preset.picture)

    assert min(picture.size) >= 1024
    light = picture.convert("L").resize((64, 64), Image.Resampling.BOX)
    assert np.ptp(np.asarray(light, int)) > 90


@by_slug
def test_the_gallery_shows_it_on_a_photo(preset: Preset) -> None:
    assert preset.shown == preset.painted_sample
    assert min(open_picture(preset.shown).size) >= 320


def test_the_sample_photo_is_there() -> None:
    assert min(open_picture(default_catalog().sample).size) >= 512


def test_all_pictures_are_small_enough_to_ship() -> None:
    folder = PRESETS[0].picture.parent
    assert sum(file.stat().st_size for file in folder.glob("*.jpg")) < 9_000_000
