"""run.py as a process: streams, signals, a full disk, and what it ends with."""

from __future__ import annotations

import io
import os
import pty
import resource
import signal
import subprocess
import sys
import termios
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.exit_codes import MEANINGS, ExitCode
from tests.app.commands.conftest import ROOT, Start, save_photo

STYLIZE = ("stylize", "--style", "swirls", "--size", "64")
FAKE: dict[str, str] = {}


def test_a_photo_from_stdin_goes_to_stdout_and_nothing_else(here: Path, start: Start) -> None:
    for args in (("-",), ("-", "-o", "-", "--format", "png")):
        with (here / "photo.jpg").open("rb") as photo:
            process = start(*STYLIZE, *args, fake=FAKE, stdin=photo)
            out, err = process.communicate()
        assert (process.returncode, err) == (0, b"")
        with Image.open(io.BytesIO(out)) as picture:
            assert picture.format == ("PNG" if "png" in args else "JPEG")
            assert picture.size == (64, 48)
        assert out.endswith(b"\xff\xd9" if "png" not in args else b"IEND\xaeB`\x82")
    assert [path.name for path in here.iterdir()] == ["photo.jpg"]


def test_stdin_without_a_photo_is_one_line(start: Start) -> None:
    process = start(*STYLIZE, "-", "-o", "a.jpg", fake=FAKE)
    _, err = process.communicate()
    assert process.returncode == 2
    assert err.startswith(b"run.py: standard input: This is not a picture")


def test_a_picture_is_not_thrown_at_a_terminal(start: Start) -> None:
    ours, theirs = pty.openpty()
    process = start(*STYLIZE, "photo.jpg", "-o", "-", fake=FAKE, stdout=theirs)
    _, err = process.communicate()
    os.close(theirs)
    os.close(ours)
    assert process.returncode == 2
    assert b"terminal" in err


@pytest.mark.parametrize(
    "args", [("styles",), ("styles", "--json"), ("--help",), ("--version",), ("stylize", "--help")]
)
def test_a_reader_that_went_away_is_no_error(args: tuple[str, ...], start: Start) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = start(*args, stdout=writing)
    os.close(writing)
    _, err = process.communicate()
    assert (process.returncode, err) == (ExitCode.OUTPUT_CLOSED, b"")


@pytest.mark.parametrize("fake", [None, FAKE])
def test_a_stream_that_takes_nothing_is_one_line(fake: dict[str, str] | None, start: Start) -> None:
    args = ("styles",) if fake is None else (*STYLIZE, "photo.jpg", "-o", "-")
    with Path("/dev/full").open("wb") as full:
        process = start(*args, fake=fake, stdout=full)
        _, err = process.communicate()
    assert process.returncode == 1
    (line,) = err.decode().splitlines()
    assert "No space left on device" in line


def test_names_are_printed_whatever_stdout_can_show(
    here: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = os.fsdecode(b"\xff.jpg")
    save_photo(here / name)
    process = start(*STYLIZE, name, fake=FAKE)
    out, _ = process.communicate()
    assert (process.returncode, out) == (0, b"\xff-swirls.jpg\n")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    process = start("styles")
    out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert b"Starry swirls" in out


def test_ctrl_c_keeps_what_is_finished_and_nothing_else(here: Path, start: Start) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        save_photo(here / name)
    fake = {"FAKE_ENDLESS": "b.jpg"}
    process = start(*STYLIZE, "a.jpg", "b.jpg", "c.jpg", "-o", "painted", fake=fake)
    assert process.stdout is not None
    assert process.stdout.readline() == b"painted/a-swirls.jpg\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == ExitCode.INTERRUPTED
    assert (out, err) == (b"", b"run.py: interrupted; 1 of 3 are painted\n")
    (finished,) = (here / "painted").iterdir()
    with Image.open(finished) as picture:
        picture.load()


def test_a_disk_that_fills_up_leaves_no_half_file(here: Path, start: Start) -> None:
    """A limit on the size of files fails in the middle of one, as a full disk does."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(here / "b.png")
    save_photo(here / "c.jpg")
    (here / "b-swirls.png").write_text("an older painting")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))

    args = ("photo.jpg", "b.png", "c.jpg", "--size", "200", "--format", "png")
    process = start(*STYLIZE, *args, fake=FAKE, preexec_fn=limit)
    out, err = process.communicate()
    assert process.returncode == ExitCode.FAILED
    assert out == b"photo-swirls.png\nc-swirls.png\n"
    first, last = err.decode().splitlines()
    assert first == "run.py: b.png: b-swirls.png can't be written: File too large"
    assert last == "run.py: 1 of 3 photos could not be painted"
    assert (here / "b-swirls.png").read_text() == "an older painting"
    assert not list(here.glob(".*"))


@pytest.mark.parametrize("size", [(24, 80), (0, 0)])
@pytest.mark.parametrize(
    ("fake", "photos", "shown", "hidden"),
    [
        ({"FAKE_STEPS": "0"}, ["photo.jpg"], "photo-swirls.jpg", "step"),
        ({}, ["photo.jpg"], "3/3", "photo.jpg:"),
        ({}, ["photo.jpg", "b.jpg"], "2 of 2: b.jpg", "step"),
    ],
)
def test_bars_show_what_there_is_to_show(
    fake: dict[str, str],
    photos: list[str],
    shown: str,
    hidden: str,
    size: tuple[int, int],
    here: Path,
    start: Start,
) -> None:
    save_photo(here / "b.jpg")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, size)
    process = start(*STYLIZE, *photos, fake=fake, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    try:
        while block := os.read(ours, 10_000):
            said += block
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    assert process.wait() == 0
    assert shown in said.decode()
    assert hidden not in said.decode()


def test_version_is_that_of_the_project(start: Start) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    out, _ = start("--version").communicate()
    assert out.decode() == f"run.py {project['project']['version']}\n"


def test_every_exit_code_is_told(start: Start) -> None:
    out, _ = start("--help").communicate()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert MEANINGS.keys() == set(ExitCode)
    for code, meaning in MEANINGS.items():
        assert f"  {code:<5}{meaning}\n" in out.decode()
        assert f"| {code} | {meaning} |\n" in readme


def test_help_imports_neither_the_engine_nor_the_chat() -> None:
    code = (
        "import sys\nfrom app.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "sys.exit(str({'torch', 'aiogram', 'numpy', 'PIL', 'pydantic'} & sys.modules.keys() or ''))"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""
