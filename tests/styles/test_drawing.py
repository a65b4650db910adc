"""The programs draw the packaged pictures again, and the drawing kit does what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.pictures.reading import open_picture
from styles.drawing.__main__ import main
from styles.drawing.curves import curve, resample, ribbon
from styles.drawing.fields import distance_to_border, noise
from styles.drawing.flow import draw_out, streamlines
from styles.drawing.halftone import halftone
from styles.drawing.programs import IMAGES, PROGRAMS, draw
from styles.drawing.surface import Surface, mask


@pytest.mark.parametrize("slug", PROGRAMS)
def test_a_program_draws_the_packaged_picture_again(slug: str) -> None:
    packaged = open_picture(IMAGES / f"{slug}.jpg")

    drawn = draw(slug)

    assert drawn.size == packaged.size
    # Shrunk, so that what JPEG loses does not count.
    small = [np.asarray(image.resize((320, 256)), int) for image in (drawn, packaged)]
    assert np.abs(small[0] - small[1]).mean() < 1.5


def test_the_command_refuses_what_no_program_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["cave-art", "--out", str(tmp_path)])

    assert "no program draws cave-art" in capsys.readouterr().err


def test_noise_stays_within_its_bounds_and_follows_its_seed() -> None:
    fields = [noise((90, 70), np.random.default_rng(seed), cell=20) for seed in (1, 1, 2)]

    assert fields[0].shape == (70, 90)
    assert np.abs(fields[0]).max() <= 1
    assert np.array_equal(fields[0], fields[1])
    assert not np.array_equal(fields[0], fields[2])


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
def test_halftone_lays_as_much_ink_as_was_asked_for(share: float) -> None:
    ink = halftone(np.full((240, 240), share, np.float32), pitch=12, angle=0.6)

    assert ink.mean() == pytest.approx(share, abs=0.02)


def test_streamlines_follow_a_uniform_flow() -> None:
    angles = np.full((50, 100), np.pi / 2, np.float32)

    [track] = streamlines(angles, np.array([[20.0, 10.0]]), steps=5, step=2.0)

    assert track[0] == pytest.approx([20, 0])
    assert track[-1] == pytest.approx([20, 20])


def test_drawing_out_smears_along_the_flow_alone() -> None:
    specks = np.random.default_rng(3).normal(size=(120, 120)).astype(np.float32)

    smeared = draw_out(specks, np.zeros((120, 120), np.float32), length=12, reduce=1)

    along, across = (np.abs(np.diff(smeared, axis=axis)).mean() for axis in (1, 0))
    assert along < 0.5 * across


def test_a_ribbon_is_as_wide_as_asked() -> None:
    path = curve([(20, 50), (80, 50)])

    assert mask((100, 100), ribbon(path, 10)).sum() == pytest.approx(600, rel=0.02)
    assert np.diff(resample(path, 7)[:, 0]) == pytest.approx(60 / 9, abs=0.01)


def test_a_surface_blends_colours_in_the_right_channels() -> None:
    surface = Surface((40, 40), np.array([0, 0, 1], np.float32))

    surface.dot(20, 20, 10, (1, 0, 0), alpha=0.5)

    assert surface.colors()[20, 20] == pytest.approx([0.5, 0, 0.5], abs=0.02)
    assert surface.colors()[2, 2] == pytest.approx([0, 0, 1])
    ground = np.ones((40, 40, 3), np.float32)
    clear = Surface((40, 40))
    clear.dot(20, 20, 10, (0, 0.5, 0))
    assert clear.over(ground)[20, 20] == pytest.approx([0, 0.5, 0], abs=0.01)
    assert clear.over(ground)[2, 2] == pytest.approx([1, 1, 1])


def test_distance_to_the_next_label() -> None:
    labels = np.zeros((9, 20), np.int64)
    labels[:, 10:] = 1

    assert distance_to_border(labels)[4, [10, 14, 19]].tolist() == [0, 4, 9]
