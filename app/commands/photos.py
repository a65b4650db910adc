"""The photos that a command line means: files, folders, and standard input."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.commands.errors import UsageError
from models.pictures.headers import has_picture_name

STDIN: Final = "-"
MAX_STDIN_BYTES: Final = 1_000_000_000
"""More than any picture that is decoded has, and no endless stream."""
_BLOCK_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo to paint; nothing has looked at it yet."""

    path: Path
    name: str
    """What messages call it."""
    stem: str
    """What the name of its painting begins with."""
    folder: Path
    """Where its painting goes if nothing else is said."""


@contextmanager
def gathered(arguments: Sequence[str]) -> Iterator[tuple[Photo, ...]]:
    """All the photos, each once, in the order to paint them; a folder's by name.

    Standard input is read to its end, into a file that is gone afterwards. Raises UsageError,
    OSError.
    """
    if STDIN not in arguments:
        yield _found(arguments, stdin_at=None)
        return
    with tempfile.TemporaryDirectory(prefix="stylize-") as folder:
        stdin_at = Path(folder) / "stdin"
        photos = _found(arguments, stdin_at=stdin_at)
        _read_stdin(stdin_at)
        yield photos


def _found(arguments: Sequence[str], *, stdin_at: Path | None) -> tuple[Photo, ...]:
    photos: dict[Path, Photo] = {}
    for argument in arguments:
        if argument == STDIN and stdin_at is not None:
            photos[stdin_at] = Photo(stdin_at, "standard input", "stdin", Path())
            continue
        for path in _pictures_of(Path(argument)):
            photos.setdefault(
                Path(os.path.realpath(path)), Photo(path, str(path), path.stem, path.parent)
            )
    return tuple(photos.values())


def _pictures_of(path: Path) -> list[Path]:
    """A file itself; of a folder the pictures that lie in it, without hidden ones and subfolders.

    Whether a file is there and what it is, is looked at where it can be told for each by itself.
    """
    if not os.path.isdir(path):
        return [path]
    try:
        files = sorted(file for file in path.iterdir() if file.is_file())
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from error
    pictures = [file for file in files if has_picture_name(file) and file.name[0] != "."]
    if not pictures:
        raise UsageError(f"there are no pictures in the folder {path}")
    return pictures


def _read_stdin(path: Path) -> None:
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("- is standard input, and no photo is piped into it")
    with path.open("wb") as file:
        while block := sys.stdin.buffer.read(_BLOCK_BYTES):
            file.write(block)
            if file.tell() > MAX_STDIN_BYTES:
                raise UsageError("what comes on standard input is too long for a photo")
