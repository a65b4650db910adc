"""Which clips may be painted, and how large they become."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.clips.interface import (
    ClipError,
    ClipFacts,
    ClipKind,
    ClipLimits,
    ClipProblem,
    check_clip,
)

FACTS = ClipFacts(
    seconds=5, frames=150, width_px=1280, height_px=720, sound_bytes=50_000, container="mp4"
)


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        (replace(FACTS, width_px=1, height_px=1, frames=10_000), ClipProblem.TOO_SMALL),
        (replace(FACTS, width_px=2000, height_px=20), ClipProblem.TOO_NARROW),
        (replace(FACTS, width_px=7680, height_px=4320), ClipProblem.TOO_MANY_PIXELS),
        (replace(FACTS, frames=1), ClipProblem.STILL),
        (replace(FACTS, seconds=15.5), ClipProblem.TOO_LONG),
    ],
)
def test_a_clip_beyond_the_limits_is_one_sentence(facts: ClipFacts, problem: ClipProblem) -> None:
    with pytest.raises(ClipError) as refused:
        check_clip(facts, ClipKind.VIDEO, ClipLimits())
    assert refused.value.problem is problem
    assert str(refused.value).count(".") == 1


def test_a_frame_or_two_beyond_the_limit_are_taken() -> None:
    check_clip(replace(FACTS, seconds=15.07), ClipKind.VIDEO, ClipLimits())


def test_a_note_is_at_most_a_minute_whatever_the_owner_grants() -> None:
    limits = ClipLimits(seconds=600)
    check_clip(replace(FACTS, seconds=300), ClipKind.VIDEO, limits)
    with pytest.raises(ClipError, match="60 seconds"):
        check_clip(replace(FACTS, seconds=61), ClipKind.VIDEO_NOTE, limits)


def test_of_a_quick_clip_fewer_frames_are_painted() -> None:
    quick = replace(FACTS, frames=1200)
    assert quick.frames_per_s == 240
    assert quick.frames_to_paint(ClipLimits(frames_per_s=30)) == 150
    assert FACTS.frames_to_paint(ClipLimits(frames_per_s=60)) == 150


@pytest.mark.parametrize(
    ("kind", "size_px", "size"),
    [
        (ClipKind.VIDEO, 480, (480, 270)),
        (ClipKind.VIDEO, 479, (478, 268)),
        (ClipKind.VIDEO_NOTE, 481, (480, 480)),
    ],
)
def test_sides_are_even(kind: ClipKind, size_px: int, size: tuple[int, int]) -> None:
    assert FACTS.painted_size(kind, size_px) == size
