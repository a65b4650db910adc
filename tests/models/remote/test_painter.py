"""What an actor does, in this process: Ray only carries the orders and the answers."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
import torch

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
from models.engine.loading import load_stylizer
from models.interface import EngineError, Note, Painting, StepReport, Style, StyleOptions
from models.neighbours.recipe import USUAL_RECIPE
from models.pictures.problems import PictureError, PictureProblem
from models.remote.digest import project_digest
from models.remote.messages import (
    Begun,
    ClipOrder,
    ClipPart,
    EngineOrder,
    PictureOrder,
    SentStyle,
    SentWeights,
)
from models.remote.painter import PREFIX, RemotePainter
from models.weights_cache import read_vgg16
from tests.clip_files import facts_of, mp4
from tests.models.vgg16_weights import keep_random_vgg16

SAMPLE = Path(__file__).parents[3] / "styles" / "samples" / "face.jpg"
T = TypeVar("T")
OPTIONS = StyleOptions(size_px=64, steps=6)


@pytest.fixture(scope="module")
def painter() -> Iterator[RemotePainter]:
    threads = torch.get_num_threads()
    painter = RemotePainter()
    painter.load(engine_order())
    yield painter
    torch.set_num_threads(threads)


def engine_order(project: str | None = None) -> EngineOrder:
    return EngineOrder(project=project or project_digest(), encoder="slim", gpu=None, threads=1)


def picture_order(number: int, content: bytes = SAMPLE.read_bytes()) -> PictureOrder:
    style = SentStyle(SAMPLE.read_bytes(), 1.0, USUAL_RECIPE)
    return PictureOrder(number=number, content=content, styles=(style,), options=OPTIONS)


def carried(answers: Iterator[T]) -> list[T]:
    """As they arrive on the other machine."""
    return [pickle.loads(pickle.dumps(answer)) for answer in answers]  # noqa: S301


def png(painting: Painting) -> bytes:
    painting.picture.save(file := io.BytesIO(), "PNG")
    return file.getvalue()


def test_a_picture_comes_back_step_by_step_as_a_local_engine_paints_it(
    painter: RemotePainter,
) -> None:
    begun, *reports, painting = carried(painter.paint(picture_order(1)))
    assert isinstance(begun, Begun)
    assert all(isinstance(report, StepReport) for report in reports)
    assert [report.step for report in reports if isinstance(report, StepReport)] == [*range(7)]
    assert isinstance(painting, Painting)
    local = load_stylizer(encoder="slim", device="cpu", threads=1)
    assert png(painting) == png(local.stylize(SAMPLE, [Style(SAMPLE)], OPTIONS))


def test_stop_reaches_the_picture_in_hand_and_no_other(painter: RemotePainter) -> None:
    answers = painter.paint(picture_order(2))
    painter.stop(1)  # came too late for that one
    assert isinstance(next(answers), Begun)
    assert isinstance(next(answers), StepReport)
    painter.stop(2)
    *_, stopped = answers
    assert isinstance(stopped, Painting)
    assert Note.STOPPED in stopped.notes
    painter.stop(4)  # overtook its picture
    *_, whole = painter.paint(picture_order(3))
    assert isinstance(whole, Painting)
    assert not whole.notes
    *_, stopped = painter.paint(picture_order(4))
    assert isinstance(stopped, Painting)
    assert Note.STOPPED in stopped.notes


def clip_order(number: int, content: bytes, *, seconds: float = 15.0) -> ClipOrder:
    return ClipOrder(
        number=number,
        content=content,
        suffix=".mp4",
        styles=picture_order(number).styles,
        options=OPTIONS,
        kind=ClipKind.VIDEO,
        limits=ClipLimits(seconds=seconds),
    )


def test_a_clip_comes_back_frame_by_frame_and_its_file_in_parts(
    painter: RemotePainter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.remote.painter.PART_BYTES", 1000)
    begun, *answers, painted = carried(painter.paint_clip(clip_order(11, mp4(8, sound=True))))
    reports, parts = answers[:8], answers[8:]
    assert isinstance(begun, Begun)
    assert [report.frame for report in reports if isinstance(report, ClipReport)] == [*range(1, 9)]
    assert isinstance(painted, PaintedClip)
    assert painted.has_sound
    assert len(parts) > 2
    content = b"".join(part.content for part in parts if isinstance(part, ClipPart))
    assert facts_of(content) == (painted.frames, True) == (8, True)


def test_a_picture_is_let_in_between_two_frames_and_stop_reaches_each(
    painter: RemotePainter,
) -> None:
    clip = painter.paint_clip(clip_order(12, mp4(150)))
    assert isinstance(next(clip), Begun)
    assert isinstance(next(clip), ClipReport)
    *_, photo = painter.paint(picture_order(13))
    assert isinstance(photo, Painting)
    painter.stop(12)
    *_, painted = clip
    assert isinstance(painted, PaintedClip)
    assert painted.notes == {ClipNote.STOPPED}
    assert 0 < painted.frames < 150


def test_what_is_not_wanted_of_a_clip_does_not_come(painter: RemotePainter) -> None:
    clip = painter.paint_clip(clip_order(14, mp4(150)))
    painter.stop(14, cancel=True)
    with pytest.raises(ClipCancelledError):
        list(clip)


def test_a_clip_that_can_not_be_used_is_refused_with_its_reason(painter: RemotePainter) -> None:
    with pytest.raises(ClipError) as refusal:
        list(painter.paint_clip(clip_order(15, mp4(40), seconds=3)))
    arrived = pickle.loads(pickle.dumps(refusal.value))  # noqa: S301
    assert (arrived.problem, arrived.limit) == (ClipProblem.TOO_LONG, 3)
    assert str(arrived) == str(refusal.value)


def test_a_picture_that_can_not_be_used_is_refused_with_its_reason(painter: RemotePainter) -> None:
    with pytest.raises(PictureError) as refusal:
        carried(painter.paint(picture_order(5, b"no picture")))
    arrived = pickle.loads(pickle.dumps(refusal.value))  # noqa: S301
    assert arrived.problem is PictureProblem.NOT_A_PICTURE
    assert str(arrived) == str(refusal.value)


def test_another_version_of_the_project_is_refused_in_one_sentence() -> None:
    with pytest.raises(EngineError, match=r"not 0123456789ab\): bring both to the same commit"):
        RemotePainter().load(engine_order("0123456789ab"))


def test_weights_that_are_sent_are_kept_and_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_random_vgg16(tmp_path / "bot")
    content = read_vgg16(tmp_path / "bot")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "machine"))
    painter = RemotePainter()
    assert painter.lacks_vgg16()
    order = replace(engine_order(), encoder="vgg16")
    sent = SentWeights(content, hashlib.sha256(content).hexdigest())
    with pytest.raises(EngineError, match="did not arrive as they were sent"):
        painter.load(order, replace(sent, content=content[:-1]))
    assert painter.lacks_vgg16()
    painter.load(order, sent)
    assert not painter.lacks_vgg16()
    assert read_vgg16(tmp_path / "machine" / "cache") == content


def test_pictures_of_a_painter_that_was_killed_are_deleted_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    left = [tmp_path / f"{PREFIX}{pid}-x" for pid in (killed.pid, os.getpid())]
    for folder in left:
        folder.mkdir()
        (folder / "content").write_bytes(b"a photo")
    RemotePainter().load(engine_order())
    assert [folder.exists() for folder in left] == [False, True]
