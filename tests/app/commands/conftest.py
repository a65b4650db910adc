"""A working folder, and run.py in a process of its own with an engine that only pretends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import pytest
from PIL import Image

ROOT = Path(__file__).parents[3]
GPS = 0x8825

Stream = int | IO[bytes]
Start = Callable[..., "subprocess.Popen[bytes]"]


def save_photo(path: Path, size: tuple[int, int] = (120, 90)) -> Path:
    """A photo with a secret in its EXIF block, and a place."""
    exif = Image.Exif()
    exif[0x010E] = "a secret"
    exif.get_ifd(GPS)[2] = (55.0, 45.0, 0.0)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.linear_gradient("L").resize(size).convert("RGB").save(path, exif=exif)
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a photo, and no settings but this data folder."""
    folder = tmp_path / "here"
    save_photo(folder / "photo.jpg")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("BOT_TOKEN", raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    return folder


@pytest.fixture
def start(here: Path) -> Start:
    """Start run.py in that folder; `fake` for the engine that pretends, with its settings."""

    def start(
        *args: str,
        fake: Mapping[str, str] | None = None,
        stdin: Stream = subprocess.DEVNULL,
        stdout: Stream = subprocess.PIPE,
        stderr: Stream = subprocess.PIPE,
        preexec_fn: Callable[[], None] | None = None,
    ) -> subprocess.Popen[bytes]:
        def prepare() -> None:
            # Ignored, as in what a shell has put in the background, it would stay so.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            if preexec_fn is not None:
                preexec_fn()

        program = ["-m", "tests.app.commands.fake_run"]
        if fake is None:
            program = [str(ROOT / "run.py")]
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, *program, *args],
            cwd=here,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | dict(fake or {}),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            preexec_fn=prepare,
        )

    return start
