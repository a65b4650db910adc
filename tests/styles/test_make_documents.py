"""The documents' pictures: what is asked of the engine, and what stands where."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from models.engine.loading import load_stylizer
from models.interface import Painting, StyleOptions
from styles.catalog import default_catalog
from styles.make_documents import (
    clip_beside_painting,
    main,
    options_sheet,
    pan,
    triptych,
)
from tests.app.jobs.stub_stylizers import Order, PhotoStub


class RedPainter(PhotoStub):
    def __init__(self) -> None:
        self.asked: list[StyleOptions] = []

    def paint(self, order: Order) -> Painting:
        self.asked.append(order.options)
        picture = Image.new("RGB", (40, 30), "red")
        return Painting(picture=picture, options=order.options, steps=0, seconds=0)


def test_the_painting_stands_right_of_photo_and_style() -> None:
    catalog = default_catalog()
    sheet = triptych(RedPainter(), catalog.sample, catalog.presets()[0], size_px=64)
    assert sheet.height == 64
    red = np.flatnonzero((np.asarray(sheet) == (255, 0, 0)).all(2).all(0))
    assert (red.min(), red.max()) == (sheet.width - 64, sheet.width - 1)


def test_every_option_is_shown_once_from_the_presets_own_ones() -> None:
    catalog, painter = default_catalog(), RedPainter()
    preset = catalog.presets()[0]
    options_sheet(painter, catalog.sample, preset, size_px=64)
    assert len(set(painter.asked)) == len(painter.asked) == 8
    usual = preset.hinted(StyleOptions(size_px=64))
    assert usual in painter.asked
    for asked in painter.asked:
        changed = [name for name in StyleOptions.__slots__ if _differ(asked, usual, name)]
        assert len(changed) <= 1, changed


def test_a_clips_frames_move_and_stand_beside_their_paintings() -> None:
    catalog = default_catalog()
    frames = [frame.resize((96, 64)) for frame in pan(Image.open(catalog.sample))[:2]]
    assert frames[0].tobytes() != frames[1].tobytes()
    pairs = clip_beside_painting(load_stylizer(), frames, catalog.presets()[0])
    assert [pair.height for pair in pairs] == [64, 64]
    for frame, pair in zip(frames, pairs, strict=True):
        assert pair.crop((0, 0, 96, 64)).tobytes() == frame.tobytes()
        painted = pair.crop((pair.width - 96, 0, pair.width, 64))
        assert np.abs(np.asarray(painted, int) - np.asarray(frame, int)).mean() > 10


def test_the_command_says_what_it_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])
    assert "folder" in capsys.readouterr().err


def _differ(one: StyleOptions, other: StyleOptions, name: str) -> bool:
    return bool(getattr(one, name) != getattr(other, name))
