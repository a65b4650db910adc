"""The two figures of merit, and the command that works them out."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from models.pictures import open_picture
from models.training.evaluate import (
    Score,
    contact_sheet,
    folder_painter,
    main,
    score,
    table,
    validation_pairs,
)
from models.training.figures import (
    LONG_SIDE_PX,
    SLIM_STYLE_LAYERS,
    VGG19_STYLE_LAYERS,
    Judge,
    content_kept,
    style_gap_closed,
)
from models.training.teachers import load_slim_vgg19, load_vgg19
from tests.models.training_set import write_training_set

DEAD = 0.1
"""A random teacher has some channels that never speak; they count as not kept."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_training_set(tmp_path_factory.mktemp("data"), photos=26, styles=26)


@pytest.fixture(scope="module")
def judge(data: Path) -> Judge:
    return Judge(load_vgg19(data), load_slim_vgg19(data))


def _layer(value: float) -> dict[str, torch.Tensor]:
    """One channel, one layer: its Gram matrix is value squared."""
    return {"relu1_1": torch.full((1, 1, 2, 3), value)}


@pytest.mark.parametrize(
    ("result", "closed"),
    [(1.0, 0.0), (2.0, 1.0), (0.0, 1 - 16 / 9), (2.5**0.5, 0.75), (9.0, -1.0)],
)
def test_the_gap_by_hand(result: float, closed: float) -> None:
    """Grams 1 (photo) and 4 (style): d(photo, style) = 9/16; a result's Gram g gives (g-4)^2/16."""
    found = style_gap_closed(_layer(1.0), _layer(2.0), _layer(result))
    assert found == pytest.approx(closed, abs=1e-5)


def test_the_gap_is_the_mean_of_the_layers() -> None:
    content, style, result = (
        {"a": _layer(a)["relu1_1"], "b": _layer(b)["relu1_1"]}
        for a, b in ((1.0, 1.0), (2.0, 2.0), (2.0, 1.0))
    )
    assert style_gap_closed(content, style, result) == pytest.approx(0.5, abs=1e-5)


def test_content_is_kept_whatever_its_brightness_and_contrast() -> None:
    features = torch.rand(1, 5, 12, 9)
    assert content_kept(features, features) == pytest.approx(1, abs=1e-3)
    assert content_kept(features, 7 * features + 2) == pytest.approx(1, abs=1e-3)
    assert content_kept(features, -features) == pytest.approx(-1, abs=1e-3)
    assert abs(content_kept(features, torch.rand(1, 5, 12, 9))) < 0.5


def test_the_judge_gives_the_photo_0_and_1_and_the_style_1(judge: Judge) -> None:
    photo, style = torch.rand(1, 3, 48, 64), torch.rand(1, 3, 48, 64) * 0.3
    closed, kept = judge(photo, style, photo)
    assert closed == pytest.approx(0, abs=1e-5)
    assert kept == pytest.approx(1, abs=DEAD)
    closed, kept = judge(photo, style, style)
    assert closed == pytest.approx(1, abs=1e-5)
    assert kept < 0.8


def test_the_judge_looks_at_all_five_layers() -> None:
    assert (*VGG19_STYLE_LAYERS, *SLIM_STYLE_LAYERS) == tuple(f"relu{n}_1" for n in range(1, 6))


def test_pairs_are_fixed_and_of_the_validation_split(data: Path) -> None:
    names = [pair.name for pair in validation_pairs(data, 4)]
    assert names == ["0000_0000", "0000_0000", "0012_0012", "0024_0024"]


def test_paintings_of_a_folder_are_scored_by_their_names(
    data: Path, judge: Judge, tmp_path: Path
) -> None:
    pairs = validation_pairs(data, 2)
    for pair in pairs:
        open_picture(pair.style).resize((60, 50)).save(tmp_path / f"{pair.name}.png")
    found, paintings = score("styles", folder_painter(tmp_path), pairs, judge, "cpu")
    assert found.style_gap_closed > 0.5
    assert {max(painting.size) for painting in paintings} == {LONG_SIDE_PX}


def test_the_sheet_has_a_row_for_each_pair(data: Path) -> None:
    pairs = validation_pairs(data, 3)
    reds = [Image.new("RGB", (96, 96), "red")] * 3
    sheet = contact_sheet(pairs, [reds])
    assert sheet.size == (3 * 256, 3 * 256)
    assert sheet.getpixel((2 * 256 + 128, 2 * 256 + 128)) == (255, 0, 0)


def test_the_table_is_markdown() -> None:
    last = table([Score("draft", 0.5, 0.25, 1.5)]).splitlines()[-1]
    assert last == "| draft | 0.500 | 0.250 | 1.50 |"


def test_the_command_scores_the_photo_itself(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sheet = tmp_path / "sheet.png"
    wishes = ["--data", str(data), "--pairs", "1", "--method", "photo", "--json"]
    wishes += ["--device", "cpu", "--sheet", str(sheet)]
    monkeypatch.setattr(sys, "argv", ["evaluate", *wishes])
    main()
    (photo,) = json.loads(capsys.readouterr().out)
    assert photo["method"] == "photo"
    assert photo["style_gap_closed"] == pytest.approx(0, abs=1e-3)
    assert photo["content_kept"] == pytest.approx(1, abs=DEAD)
    assert open_picture(sheet).size == (3 * 256, 256)
