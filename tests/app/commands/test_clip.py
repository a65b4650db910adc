"""`run.py clip`: what goes in, what comes out, and what is left of it when something fails."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import av
import pytest
import torch

from app.cli import main
from app.commands.progress_bar import ProgressBar
from app.exit_codes import ExitCode
from models.clips.stylizer import ClipPainter
from models.draft.drafter import load_drafter
from tests.app.commands.conftest import save_photo
from tests.clip_files import pictures, save_clip, save_moving, scenes

Clip = Callable[..., int]


@pytest.fixture(scope="module")
def engine() -> SimpleNamespace:
    """The real network, without the rest of the engine."""
    device = torch.device("cpu")
    painter = ClipPainter(load_drafter(device), None, device=device)
    return SimpleNamespace(stylize_clip=painter.stylize_clip)


@pytest.fixture
def clip(here: Path, engine: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Clip:
    """The command in this process; says whether it refused before anything was loaded."""
    save_clip(here / "clip.mp4", scenes(4), sound="aac")
    loaded: list[object] = []

    def load(settings: object) -> SimpleNamespace:
        loaded.append(settings)
        return engine

    monkeypatch.setattr("app.commands.clip.load_engine", load)

    def clip(*args: str, is_refused: bool = False) -> int:
        try:
            code = main(["clip", *args, "--style", "swirls", "--size", "64"])
        except SystemExit as ended:
            code = int(ended.code or 0)
        assert (not loaded) == is_refused
        return code

    return clip


def streams(path: Path) -> list[str]:
    with av.open(path) as container:
        return [stream.codec_context.name for stream in container.streams]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_clip_is_painted_beside_it(
    here: Path, clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    assert clip("clip.mp4") == ExitCode.DONE
    assert streams(here / "clip-swirls.mp4") == ["h264", "aac"]
    assert capsys.readouterr().out == "clip-swirls.mp4\n"
    assert names(here) == {"photo.jpg", "clip.mp4", "clip-swirls.mp4"}


def test_into_a_folder_that_is_made(here: Path, clip: Clip) -> None:
    save_moving(here / "cat.gif", pictures(scenes(2)))
    assert clip("cat.gif", "-o", "new/") == ExitCode.DONE
    assert streams(here / "new" / "cat-swirls.mp4") == ["h264"]


def test_the_kind_that_was_asked_for(
    here: Path, clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    assert clip("clip.mp4", "-o", "a.mp4", "--kind", "video_note", "--json") == ExitCode.DONE
    said = json.loads(capsys.readouterr().out)
    assert (said["width_px"], said["height_px"], said["has_sound"]) == (64, 64, True)
    assert (said["kind"], said["frames"], said["out"]) == ("video_note", 4, "a.mp4")
    assert clip("clip.mp4", "-o", "a.mp4", "--kind", "animation") == ExitCode.DONE
    assert streams(here / "a.mp4") == ["h264"]


def test_standard_input_and_output(
    here: Path,
    clip: Clip,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    stdin = SimpleNamespace(
        buffer=io.BytesIO((here / "clip.mp4").read_bytes()), isatty=lambda: False
    )
    monkeypatch.setattr(sys, "stdin", stdin)
    assert clip("-") == ExitCode.DONE
    (here / "out.mp4").write_bytes(capsysbinary.readouterr().out)
    assert streams(here / "out.mp4") == ["h264", "aac"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("clip.mp4", "-o", "a.gif"), "must end in .mp4"),
        (("clip.mp4", "-o", "clip.mp4"), "--force"),
        (("clip.mp4", "-o", "nowhere/a.mp4"), "no folder"),
        (("clip.mp4", "--seconds", "0.1"), "at most 0.1 seconds"),
        (("clip.mp4", "--seconds", "nan"), "--seconds must be above 0"),
        (("clip.mp4", "--fps", "0"), "--fps must be above 0"),
        (("clip.mp4", "--strength", "101"), "strength must lie between"),
        (("clip.mp4", "--style", "nobody"), "neither a picture file nor a preset"),
        (("clip.mp4", "-o", "-", "--json"), "can't both go to standard output"),
        (("photo.jpg",), "photo.jpg: This is not a clip"),
        (("missing.mp4",), "missing.mp4: There is no file"),
        ((".",), "one clip is painted at a time"),
    ],
)
def test_what_cannot_be_done_is_one_line_before_anything_is_painted(
    args: tuple[str, ...],
    said: str,
    here: Path,
    clip: Clip,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = (here / "clip.mp4").read_bytes()
    assert clip(*args, is_refused=True) == ExitCode.USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert names(here) == {"photo.jpg", "clip.mp4"}
    assert (here / "clip.mp4").read_bytes() == before


def test_the_clip_itself_is_written_over_when_forced(here: Path, clip: Clip) -> None:
    save_photo(here / "style.jpg")
    assert clip("clip.mp4", "-o", "clip.mp4", "--force") == ExitCode.DONE
    assert streams(here / "clip.mp4") == ["h264", "aac"]


def test_a_disk_without_room_is_found_out_first(
    here: Path,
    clip: Clip,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    usage = shutil.disk_usage(here)._replace(free=10_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert clip("clip.mp4", is_refused=True) == ExitCode.USAGE
    assert "not enough room" in capsys.readouterr().err


def test_ctrl_c_leaves_nothing_half_written(
    here: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "clip-swirls.mp4").write_text("an older one")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ProgressBar, "show", interrupted)
    assert clip("clip.mp4") == ExitCode.INTERRUPTED
    assert names(here) == {"photo.jpg", "clip.mp4", "clip-swirls.mp4"}
    assert (here / "clip-swirls.mp4").read_text() == "an older one"


def test_what_should_be_known_about_it_is_said(
    here: Path, clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    save_clip(here / "b.mkv", scenes(2), sound="pcm_s16le")
    assert clip("b.mkv") == ExitCode.DONE
    assert "b.mkv: without its sound" in capsys.readouterr().err
