"""Looks at clips: a few at a time, in turn between people, and in nobody's way at the end."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from app.decoding.clips import ClipProber
from models.clips.interface import ClipError, ClipFacts, ClipProblem
from tests import clip_files
from tests.app.bot.reporter_harness import eventually

pytestmark = pytest.mark.asyncio

FACTS = ClipFacts(seconds=1, frames=10, width_px=64, height_px=48, sound_bytes=0, container="mov")


class Gate:
    """A probe that waits until it is let go."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.inside = 0

    def __call__(self, _: Path) -> ClipFacts:
        self.inside += 1
        self.open.wait(10)
        self.inside -= 1
        return FACTS


async def test_a_real_clip_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "sent"
    path.write_bytes(clip_files.mp4(8, (96, 72), sound=True))
    facts = await ClipProber().look(path, user_id=1)
    assert (facts.frames, facts.width_px, facts.height_px, facts.has_sound) == (8, 96, 72, True)
    assert facts.seconds == pytest.approx(0.8, abs=0.05)


async def test_what_is_no_clip_is_a_clip_error(tmp_path: Path) -> None:
    path = tmp_path / "sent"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ClipError) as caught:
        await ClipProber().look(path, user_id=1)
    assert caught.value.problem is ClipProblem.NOT_A_CLIP


async def test_only_so_many_are_looked_at_at_once_and_one_of_each_person() -> None:
    gate = Gate()
    prober = ClipProber(at_once=2, probe=gate)
    looks = [asyncio.create_task(prober.look(Path(), user_id=user_id)) for user_id in (1, 1, 2, 3)]
    await eventually(lambda: gate.inside == 2)
    await asyncio.sleep(0.05)
    assert gate.inside == 2
    gate.open.set()
    assert await asyncio.gather(*looks) == [FACTS] * 4
    assert not prober.is_busy


async def test_a_look_that_nobody_waits_for_is_known() -> None:
    gate = Gate()
    prober = ClipProber(probe=gate)
    look = asyncio.create_task(prober.look(Path(), user_id=1))
    await eventually(lambda: gate.inside == 1)
    look.cancel()
    with pytest.raises(asyncio.CancelledError):
        await look
    assert prober.is_busy
    gate.open.set()
    await eventually(lambda: not prober.is_busy)
