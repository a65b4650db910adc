"""Clips painted by the real draft network, small: which files come out, and what is said."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from models.clips.encoder import ClipEncoder
from models.clips.interface import (
    ClipCancelledError,
    ClipError,
    ClipKind,
    ClipLimits,
    ClipNote,
    ClipProblem,
    ClipReport,
    PaintedClip,
)
from models.clips.stylizer import ClipPainter
from models.devices.threads import computing_threads
from models.draft.drafter import Drafter, load_drafter
from models.interface import DeviceLostError, EngineError, OutOfMemoryError, Style, StyleOptions
from models.pictures.problems import PictureError
from tests.clip_files import (
    pictures,
    quadrants,
    save_clip,
    save_moving,
    scenes,
    seen,
)
from tests.models.tiny_encoder import style_file

CPU = torch.device("cpu")
Paint = Callable[..., PaintedClip]


@pytest.fixture(scope="module")
def drafter() -> Drafter:
    found = load_drafter(CPU)
    assert found is not None
    return found


@pytest.fixture
def paint(drafter: Drafter, tmp_path: Path) -> Paint:
    """Paint a clip of this folder in 64 px."""

    def paint(source: Path, *, painter: ClipPainter | None = None, **how: Any) -> PaintedClip:
        asked: dict[str, Any] = {
            "kind": ClipKind.VIDEO,
            "limits": ClipLimits(),
            "output": tmp_path / "out.mp4",
        }
        options = how.pop("options", StyleOptions(size_px=64))
        painter = painter or ClipPainter(drafter, None, device=CPU)
        style = how.pop("style", None) or style_file(tmp_path / "style.png")
        return painter.stylize_clip(source, [Style(style)], options, **(asked | how))

    return paint


def only(folder: Path, *names: str) -> bool:
    """Whether nothing but these files is there, beside the style."""
    return {path.name for path in folder.iterdir()} == {"style.png", *names}


def test_a_video_keeps_its_times_and_its_sound(paint: Paint, tmp_path: Path) -> None:
    times = [0, 9000, 12_000, 30_000, 31_000, 54_000, 60_000, 63_000]
    source = save_clip(tmp_path / "a.mp4", scenes(8), times=times, sound="aac")
    reports: list[ClipReport] = []
    painted = paint(source, on_frame=reports.append)
    assert (painted.width_px, painted.height_px, painted.frames) == (64, 48, 8)
    assert painted.has_sound
    assert painted.notes == frozenset()
    found = list(seen(painted.path))
    assert [round(at * 90_000) for at, _ in found] == times
    assert np.abs(found[3][1].astype(int) - scenes(8)[3]).mean() > 15  # it is painted
    assert sounds(painted.path) == sounds(source)
    assert [report.frame for report in reports] == list(range(1, 9))
    assert {report.frames for report in reports} == {8}
    assert [number for number, report in enumerate(reports) if report.picture] == [0]
    assert reports[0].picture is not None
    assert reports[0].picture.size == (64, 48)
    assert reports[-1].seconds_left == 0
    assert only(tmp_path, "a.mp4", "out.mp4")


def sounds(path: Path) -> list[bytes]:
    """A clip's sound, packet by packet."""
    with av.open(path) as container:
        packets = container.demux(container.streams.audio[0])
        return [bytes(packet) for packet in packets if packet.size]


def test_it_is_what_phones_play(paint: Paint, tmp_path: Path) -> None:
    painted = paint(save_clip(tmp_path / "a.mp4", scenes(3)))
    data = painted.path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(painted.path) as container:
        (stream,) = container.streams
        assert isinstance(stream, av.VideoStream)
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert stream.duration is not None
        assert stream.time_base is not None
        assert float(stream.duration * stream.time_base) == pytest.approx(0.3)
    assert painted.seconds_long == pytest.approx(0.3)


def test_an_animation_is_silent_and_lasts_as_long(paint: Paint, tmp_path: Path) -> None:
    source = save_moving(tmp_path / "a.gif", pictures(scenes(3)), lengths_ms=[100, 200, 70])
    painted = paint(source, kind=ClipKind.ANIMATION)
    assert painted.seconds_long == pytest.approx(0.37)
    assert (painted.has_sound, painted.notes) == (False, frozenset())
    with av.open(painted.path) as container:
        assert float(container.duration or 0) / av.time_base == pytest.approx(0.37, abs=0.01)


def test_a_note_is_square(paint: Paint, tmp_path: Path) -> None:
    painted = paint(save_clip(tmp_path / "a.mp4", scenes(2)), kind=ClipKind.VIDEO_NOTE)
    assert (painted.width_px, painted.height_px) == (64, 64)


def test_sound_that_an_mp4_does_not_take_is_left_out_and_said(paint: Paint, tmp_path: Path) -> None:
    painted = paint(save_clip(tmp_path / "a.mkv", scenes(2), sound="pcm_s16le"))
    assert not painted.has_sound
    assert painted.notes == {ClipNote.SOUND_LEFT_OUT}


def test_what_would_be_too_large_a_file_is_painted_smaller(paint: Paint, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    noise = [random.integers(0, 255, (120, 160, 3), dtype=np.uint8) for _ in range(10)]
    source = save_clip(tmp_path / "a.mp4", noise)
    limits = ClipLimits(out_bytes=25_000)
    painted = paint(source, limits=limits, options=StyleOptions(size_px=480))
    assert painted.notes == {ClipNote.SIZE_REDUCED}
    assert painted.width_px < 480
    assert painted.options.size_px < 480
    assert painted.path.stat().st_size <= 25_000


def test_stop_keeps_what_is_painted(paint: Paint, tmp_path: Path) -> None:
    source = save_clip(tmp_path / "a.mp4", scenes(8), sound="aac")
    stop = threading.Event()
    painted = paint(source, stop=stop, on_frame=lambda r: stop.set() if r.frame == 3 else None)
    assert painted.notes == {ClipNote.STOPPED}
    # The one that was in work when the third had been reported is finished.
    assert painted.frames == len(list(seen(painted.path))) == 4
    assert painted.seconds_long == pytest.approx(0.4)
    with av.open(painted.path) as container:
        sound = container.streams.audio[0]
        assert sound.duration is not None
        assert sound.time_base is not None
        assert float(sound.duration * sound.time_base) == pytest.approx(0.4, abs=0.05)
    stop.set()
    assert paint(source, stop=stop).frames == 1


@pytest.mark.parametrize("after", [0, 3])
def test_cancel_throws_it_away(after: int, paint: Paint, tmp_path: Path) -> None:
    source = save_clip(tmp_path / "a.mp4", scenes(8))
    cancel = threading.Event()
    if not after:
        cancel.set()
    with pytest.raises(ClipCancelledError):
        paint(source, cancel=cancel, on_frame=lambda r: cancel.set() if r.frame == after else None)
    assert only(tmp_path, "a.mp4")


def test_others_have_their_turn_between_frames(paint: Paint, tmp_path: Path) -> None:
    turns: list[int] = []
    painted = paint(
        save_clip(tmp_path / "a.mp4", scenes(4)), between_frames=lambda: turns.append(1)
    )
    assert len(turns) == 3
    assert painted.frames == 4


def test_what_is_no_clip_is_refused_before_anything_is_written(
    paint: Paint, tmp_path: Path
) -> None:
    source = save_clip(tmp_path / "a.mp4", scenes(8), fps=2)
    with pytest.raises(ClipError) as refused:
        paint(source, limits=ClipLimits(seconds=2))
    assert refused.value.problem is ClipProblem.TOO_LONG
    (tmp_path / "style.png").write_bytes(b"no picture")
    with pytest.raises(PictureError):
        paint(source, style=tmp_path / "style.png")
    assert only(tmp_path, "a.mp4")


def test_strength_0_is_the_clip_itself(paint: Paint, tmp_path: Path) -> None:
    flag = quadrants((64, 48))
    painted = paint(
        save_clip(tmp_path / "a.mp4", [flag] * 2), options=StyleOptions(size_px=64, strength=0)
    )
    assert np.abs(list(seen(painted.path))[1][1].astype(int) - flag).mean() < 6


def test_kept_colours_are_the_clips(paint: Paint, tmp_path: Path) -> None:
    grey = [np.repeat(frame[..., :1], 3, axis=2) for frame in scenes(2)]
    painted = paint(
        save_clip(tmp_path / "a.mp4", grey), options=StyleOptions(size_px=64, keep_colors=True)
    )
    pixels = list(seen(painted.path))[1][1].astype(int)
    assert np.abs(pixels[..., 0] - pixels[..., 2]).max() < 12


class FailingDrafter(Drafter):
    """Fails with these errors, and paints when there are none left."""

    def __init__(self, drafter: Drafter, errors: list[Exception]) -> None:
        self._drafter = drafter
        self._errors = errors

    def draft(self, *args: Any, **how: Any) -> torch.Tensor:
        if self._errors:
            raise self._errors.pop()
        return self._drafter.draft(*args, **how)


def test_where_memory_runs_out_it_is_painted_smaller(
    paint: Paint, drafter: Drafter, tmp_path: Path
) -> None:
    failing = FailingDrafter(drafter, [torch.OutOfMemoryError()])
    painter = ClipPainter(failing, None, device=CPU)
    source = save_clip(tmp_path / "a.mp4", scenes(2))
    painted = paint(source, painter=painter, options=StyleOptions(size_px=100))
    assert painted.notes == {ClipNote.SHRUNK}
    assert painted.options.size_px == painted.width_px == 70


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (torch.OutOfMemoryError(), OutOfMemoryError),
        (torch.AcceleratorError("device-side assert", 710), DeviceLostError),
    ],
)
def test_what_cannot_be_helped_is_raised(
    error: Exception,
    raised: type[EngineError],
    paint: Paint,
    drafter: Drafter,
    tmp_path: Path,
) -> None:
    painter = ClipPainter(FailingDrafter(drafter, [error]), None, device=CPU)
    with pytest.raises(raised):
        paint(save_clip(tmp_path / "a.mp4", scenes(2)), painter=painter)
    assert only(tmp_path, "a.mp4")


class CountingDrafter(FailingDrafter):
    """Says how many threads it may compute with."""

    def __init__(self, drafter: Drafter) -> None:
        super().__init__(drafter, [])
        self.threads: set[int] = set()

    def draft(self, *args: Any, **how: Any) -> torch.Tensor:
        self.threads.add(torch.get_num_threads())
        return super().draft(*args, **how)


@pytest.mark.parametrize(("threads", "used"), [(1, 1), (2, 1), (8, 4)])
def test_half_of_the_threads_are_left_to_what_goes_on_beside_the_network(
    threads: int, used: int, paint: Paint, drafter: Drafter, tmp_path: Path
) -> None:
    counting, guests = CountingDrafter(drafter), set[int]()
    with computing_threads(threads):
        paint(
            save_clip(tmp_path / "a.mp4", scenes(2)),
            painter=ClipPainter(counting, None, device=CPU),
            between_frames=lambda: guests.add(torch.get_num_threads()),
        )
    assert (counting.threads, guests) == ({used}, {threads})


def test_a_full_disk_is_said_while_the_next_frame_is_painted(
    paint: Paint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ClipEncoder, "write", full)
    with pytest.raises(OSError, match="No space"):
        paint(save_clip(tmp_path / "a.mp4", scenes(4)))
    assert only(tmp_path, "a.mp4")


def test_without_the_network_there_is_a_sentence(paint: Paint, tmp_path: Path) -> None:
    painter = ClipPainter(None, None, device=CPU)
    with pytest.raises(EngineError, match="network is missing"):
        paint(save_clip(tmp_path / "a.mp4", scenes(2)), painter=painter)
