from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from app.jobs.running import frame_recorder
from app.jobs.running.frame_recorder import FrameRecorder
from app.pictures.frames import FRAME_SIDE_PX, decode_frame, read_frames


def picture(grey: int, size: tuple[int, int] = (64, 48)) -> Image.Image:
    return Image.new("RGB", size, (grey, grey, grey))


async def settled(recorder: FrameRecorder) -> None:
    """Until what was taken is encoded: here nothing is to be left out for haste."""
    while recorder._encoding:
        await asyncio.wait(recorder._encoding)
        await asyncio.sleep(0)  # for the callbacks of what has ended


async def greys(recorder: FrameRecorder, path: Path) -> list[int]:
    count = await recorder.save(path)
    frames = [decode_frame(frame) for frame in read_frames(path)]
    assert len(frames) == count
    values = [frame.getpixel((5, 5)) for frame in frames]
    return [value[0] for value in values if isinstance(value, tuple)]


async def test_few_are_all_kept_in_their_order(tmp_path: Path) -> None:
    recorder = FrameRecorder()
    for step in range(5):
        recorder.take(step, picture(step * 50))
        await settled(recorder)
    assert await greys(recorder, tmp_path / "f.zip") == pytest.approx([0, 50, 100, 150, 200], abs=3)


async def test_many_are_thinned_evenly(tmp_path: Path) -> None:
    recorder = FrameRecorder(most=8)
    for step in range(100):
        recorder.take(step, picture(2 * step))
        await settled(recorder)
    kept = await greys(recorder, tmp_path / "f.zip")
    assert 4 <= len(kept) <= 8
    gaps = [after - before for before, after in pairwise(kept)]
    assert max(gaps) - min(gaps) <= 4


async def test_frames_are_small(tmp_path: Path) -> None:
    recorder = FrameRecorder()
    for step in range(2):
        recorder.take(step, picture(9, (2048, 1024)))
    await recorder.save(tmp_path / "f.zip")
    sizes = {decode_frame(frame).size for frame in read_frames(tmp_path / "f.zip")}
    assert sizes == {(FRAME_SIDE_PX, FRAME_SIDE_PX // 2)}


async def test_who_comes_too_fast_is_left_out_and_nothing_waits() -> None:
    recorder = FrameRecorder()
    for step in range(50):
        recorder.take(step, picture(9))
    assert len(recorder._encoding) == frame_recorder.MAX_IN_HAND
    await settled(recorder)


async def test_one_frame_makes_no_film(tmp_path: Path) -> None:
    recorder = FrameRecorder()
    recorder.take(0, picture(9))
    assert await recorder.save(tmp_path / "f.zip") == 0
    assert not any(tmp_path.glob("*"))  # noqa: ASYNC240


async def test_a_painter_that_begins_anew_begins_the_film_anew(tmp_path: Path) -> None:
    recorder = FrameRecorder()
    for step, grey in [(0, 10), (1, 20), (0, 110), (1, 120)]:
        recorder.take(step, picture(grey))
        await settled(recorder)
    assert await greys(recorder, tmp_path / "f.zip") == pytest.approx([110, 120], abs=3)


async def test_frames_that_can_not_be_encoded_or_written_harm_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = FrameRecorder()
    for step in range(3):
        recorder.take(step, picture(9))
        await settled(recorder)
    assert await recorder.save(tmp_path / "no such folder" / "f.zip") == 0

    def fail(_: Image.Image) -> bytes:
        raise MemoryError

    monkeypatch.setattr(frame_recorder, "encode_frame", fail)
    broken = FrameRecorder()
    for step in range(3):
        broken.take(step, picture(9))
    assert await broken.save(tmp_path / "f.zip") == 0
    assert not any(tmp_path.glob("*"))  # noqa: ASYNC240
