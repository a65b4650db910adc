"""Shots, motion, and what is carried along it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from models.clips.frame_pixels import Pixels
from models.clips.motion import MotionFinder
from models.clips.shot_detector import ShotDetector
from models.clips.steadier import Steadier
from tests.clip_files import scenes

SIZE = (160, 120)


def textured(seed: int = 0, size: tuple[int, int] = (240, 120)) -> Pixels:
    """Blobs of all sizes."""
    random = np.random.default_rng(seed)
    whole = np.zeros((size[1], size[0], 3))
    for cells, share in ((4, 0.4), (12, 0.3), (40, 0.3)):
        small = random.integers(0, 255, (cells, 2 * cells, 3), dtype=np.uint8)
        whole += share * np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BICUBIC))
    return whole.clip(0, 255).astype(np.uint8)


def panned(count: int) -> list[Pixels]:
    wide = textured()
    return [np.ascontiguousarray(wide[:, 2 * i : 2 * i + SIZE[0]]) for i in range(count)]


def test_the_motion_of_a_pan_is_found() -> None:
    before, now = panned(2)
    motion = MotionFinder().find(before, now)
    columns = np.arange(SIZE[0], dtype=np.float32)[None]
    inner = np.s_[10:-10, 10:-10]
    assert np.median(np.abs(motion.places[0] - columns - 2)[inner]) < 0.2
    assert motion.belief[inner].mean() > 0.95
    carried = motion.carried(before.astype(np.float32))
    assert np.abs(carried - now)[inner].mean() < 2


def test_what_comes_in_at_the_border_is_not_believed() -> None:
    motion = MotionFinder().find(*panned(2))
    assert motion.belief[:, -1].max() == 0


def test_what_was_uncovered_is_not_believed() -> None:
    ground = textured(size=SIZE)
    before, now = ground.copy(), ground.copy()
    before[40:80, 40:80] = now[40:80, 46:86] = textured(9, (40, 40))
    motion = MotionFinder().find(before, now)
    assert motion.belief[44:76, 41:45].mean() < 0.3
    assert motion.belief[44:76, 100:].mean() > 0.95
    assert motion.belief[48:72, 54:78].mean() > 0.7


def test_a_cameras_noise_takes_no_belief() -> None:
    random = np.random.default_rng(1)
    one, other = (
        (textured(size=SIZE) + random.normal(0, 5, (120, 160, 3))).clip(0, 255).astype(np.uint8)
        for _ in range(2)
    )
    assert MotionFinder().find(one, other).belief.mean() > 0.8


@pytest.mark.parametrize("size", [(160, 16), (16, 160), (16, 16), (1000, 48)])
def test_any_shape_has_a_motion(size: tuple[int, int]) -> None:
    one, other = scenes(2, size)
    motion = MotionFinder().find(one, other)
    assert motion.belief.shape == one.shape[:2]
    assert np.isfinite(motion.carried(one.astype(np.float32))).all()


def test_paintings_that_tremble_are_steadied_and_keep_their_contrast() -> None:
    random = np.random.default_rng(2)
    frames = panned(16)
    paintings = [(frame + random.normal(0, 25, frame.shape)).astype(np.float32) for frame in frames]
    steadier, motions = Steadier(), MotionFinder()
    steady = [steadier.steady(paintings[0], None)]
    for number in range(1, len(frames)):
        motion = motions.find(frames[number - 1], frames[number])
        steady.append(steadier.steady(paintings[number], motion))
    trembling = np.abs(paintings[-1][:, :-2] - paintings[-2][:, 2:]).mean()
    left = np.abs(steady[-1][:, :-2] - steady[-2][:, 2:]).mean()
    stuck = np.abs(steady[-1] - steady[-2]).mean()
    assert left < trembling / 3
    assert stuck > 1.5 * left
    assert steady[-1].std() > 0.9 * np.asarray(frames[-1], np.float32).std()


def test_a_shots_first_painting_is_shown_as_it_is() -> None:
    steadier = Steadier()
    one, other = (textured(seed).astype(np.float32) for seed in (1, 2))
    assert (steadier.steady(one, None) == one).all()
    assert (steadier.steady(other, None) == other).all()


def test_a_cut_begins_a_shot_and_nothing_else_does() -> None:
    detector = ShotDetector()
    pan = panned(6)
    darker = [(pan[-1] * share).astype(np.uint8) for share in (0.97, 0.92, 0.87, 0.84)]
    cut = [255 - pan[0], 255 - pan[1]]
    assert [detector.begins(frame) for frame in [*pan, *darker, *cut]] == (
        [True] + [False] * 9 + [True, False]
    )


def test_what_was_just_uncovered_shows_no_stripe_of_its_first_painting() -> None:
    frames, finder, steadier = panned(20), MotionFinder(), Steadier()
    before, shown = frames[0], np.zeros((0, 0, 3), np.float32)
    for number, frame in enumerate(frames):
        motion = finder.find(before, frame) if number else None
        level = 100 + 20 * (-1) ** (number // 2)
        shown = steadier.steady(np.full((*frame.shape,), level, np.float32), motion)
        before = frame
    columns = shown[20:-20].mean((0, 2))
    uncovered_long_ago = columns[-30:-12]
    assert np.ptp(uncovered_long_ago) < 12
