"""The process that reads clips: killed when it hangs, and nothing of it is left."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from models.clips.interface import ClipError, ClipProblem
from models.clips.probing import probe
from models.clips.reader import ReaderProcess
from tests.clip_files import save_clip, scenes

READY = (
    "import sys, time; "
    "sys.stdout.buffer.write(b'A' + (2).to_bytes(8, 'little') + bytes(8) + b'{}'); "
    "sys.stdout.flush(); sys.stdin.readline(); "
)
FRAME = "sys.stdout.buffer.write(b'F' + bytes(16) + bytes(48)); sys.stdout.flush(); "


def pretending(program: str) -> tuple[str, ...]:
    """A child that does this once it was asked."""
    return sys.executable, "-c", READY + program


def frames(reader: ReaderProcess, source: Path, *, most: int = 9) -> int:
    found = reader.frames(source, (4, 4), crop=False, frames_per_s=None, most=most)
    return sum(1 for _ in found)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_clip_is_read_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_clip(tmp_path / "a.mp4", scenes(4))
    monkeypatch.chdir(tmp_path)
    facts = probe(Path("a.mp4"))
    assert (facts.frames, facts.width_px, facts.height_px) == (4, 64, 48)
    with ReaderProcess() as reader:
        assert frames(reader, Path("a.mp4"), most=3) == 3
    assert is_gone(reader.pid)


def test_what_the_child_complains_about_is_said_here(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    with pytest.raises(ClipError) as refused:
        probe(tmp_path / "a.mp4")
    assert refused.value.problem is ClipProblem.NOT_A_CLIP


def test_no_secret_is_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BOT_TOKEN", "a secret")
    program = "import os; sys.exit(0) if 'BOT_TOKEN' in os.environ else None; " + FRAME
    with ReaderProcess(command=pretending(program)) as reader:
        assert frames(reader, tmp_path / "a.mp4") == 1


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("time.sleep(60)", ClipProblem.TOO_MUCH_WORK),
        ("sys.exit(1)", ClipProblem.DAMAGED),
        ("sys.stdout.buffer.write(b'nonsense' * 9); sys.stdout.flush()", ClipProblem.DAMAGED),
    ],
)
def test_a_child_that_hangs_or_falls_is_one_sentence(
    program: str, problem: ClipProblem, tmp_path: Path
) -> None:
    asks: tuple[Callable[[ReaderProcess, Path], object], ...] = (ReaderProcess.probe, frames)
    for ask in asks:
        reader = ReaderProcess(frame_s=0.2, probe_s=0.2, command=pretending(program))
        with reader, pytest.raises(ClipError) as refused:
            ask(reader, tmp_path / "a.mp4")
        assert refused.value.problem is problem
        assert is_gone(reader.pid)


@pytest.mark.parametrize("program", ["time.sleep(60)", "sys.exit(1)"])
def test_what_was_read_before_it_fell_is_a_clip(program: str, tmp_path: Path) -> None:
    with ReaderProcess(frame_s=0.2, command=pretending(FRAME + FRAME + program)) as reader:
        assert frames(reader, tmp_path / "a.mp4") == 2


def test_a_clip_that_wants_more_memory_than_there_is(tmp_path: Path) -> None:
    path = save_clip(tmp_path / "a.mp4", scenes(2, (512, 512)))
    with ReaderProcess(memory_bytes=100_000) as reader, pytest.raises(ClipError) as refused:
        reader.probe(path)
    assert refused.value.problem in {ClipProblem.TOO_MUCH_WORK, ClipProblem.DAMAGED}
