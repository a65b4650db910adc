"""Where results go: which files, in which formats, and whether they can be written at all."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from PIL import Image

from app.commands.errors import OutputError, UsageError
from app.commands.photos import Photo
from models.files import write_atomically
from models.pictures.written_formats import (
    SUFFIXES,
    PictureFormat,
    UnknownFormatError,
    bytes_at_most,
    encode_picture,
    format_of,
    suffix_of,
)

STDOUT: Final = "-"
_MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Output:
    """Where one picture goes, and in which format."""

    path: Path | None
    """None is standard output."""
    form: PictureFormat

    def __str__(self) -> str:
        return STDOUT if self.path is None else str(self.path)

    def write(self, picture: Image.Image) -> None:
        """Write the picture, whole or not at all. Raises OutputError."""
        data = encode_picture(picture, self.form)
        if self.path is not None:
            write_result(data, self.path)
            return
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise cannot_write("standard output", error) from error


def named_output(out: str, form: PictureFormat | None = None) -> Output:
    """The file, or standard output, that `-o` names. Raises UsageError."""
    if out == STDOUT:
        return Output(None, form or PictureFormat.JPEG)
    try:
        named = format_of(Path(out))
    except UnknownFormatError as error:
        raise UsageError(f"{out} can't be written: {error}") from error
    if form not in {None, named}:
        raise UsageError(f"{out} is the name of a {named} picture, not of a {form} one")
    return Output(Path(out), named)


def plan_outputs(
    photos: Sequence[Photo],
    out: str | None,
    form: PictureFormat | None,
    *,
    label: str,
    several: bool,
) -> list[Output]:
    """An output for each photo, no two the same. Raises UsageError.

    `out` is what `-o` says; with `several` it is a folder. Where it names no file, the outputs are
    called after the photo and `label`, and numbered where two photos have one name.
    """
    if out is not None and not several and not means_a_folder(out):
        return [named_output(out, form)]
    if out == STDOUT:
        raise UsageError("only one picture can go to standard output")
    if out is not None and not os.path.isdir(out) and Path(out).suffix.lower() in SUFFIXES:
        raise UsageError(f"{out} is the name of one picture; several go into a folder")
    form = form or PictureFormat.JPEG
    return [
        Output(path, form)
        for path in _free_names(
            (photo.folder if out is None else Path(out), f"{photo.stem}-{label}", suffix_of(form))
            for photo in photos
        )
    ]


def check_outputs(
    outputs: Sequence[Output],
    *,
    pixels: Sequence[int],
    inputs: Collection[Path] = (),
    force: bool = False,
    make_folders: bool = False,
) -> None:
    """Before the painting, which may take minutes: can all of it be written? Raises UsageError.

    `pixels` says how large the pictures will be; the `inputs` are written over only with `force`.
    """
    for folder in {output.path.parent for output in outputs if output.path is not None}:
        if make_folders:
            make_folder(folder)
    for output in outputs:
        if output.path is None:
            check_stdout()
            continue
        check_place(output.path)
        if not force:
            check_precious(output.path, inputs)
    check_room(outputs, pixels)


def check_precious(path: Path, inputs: Iterable[Path]) -> None:
    """Is it none of the `inputs`, by whatever name? Raises UsageError."""
    if set(_identities(inputs)) & set(_identities([path])):
        raise UsageError(
            f"{path} is read for this painting; give another output with -o, or write "
            "over it with --force"
        )


def check_place(path: Path) -> None:
    """Can there be a file `path`? Raises UsageError."""
    try:
        if path.is_dir():
            raise UsageError(f"{path} can't be written: it is a folder")
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} can't be written: it is no ordinary file")
        if path.exists() and not os.access(path, os.W_OK):
            raise UsageError(f"{path} can't be written: permission denied")
        folder = path.resolve().parent
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        raise UsageError(f"{path} can't be written: {_reason(error)}") from error
    if not folder.is_dir():
        raise UsageError(f"{path} can't be written: there is no folder {folder}")
    problem = why_not_writable(folder)
    if problem is not None:
        raise UsageError(f"{path} can't be written: {problem}")


def why_not_writable(folder: Path) -> str | None:
    """Why no file can be made in this folder; None if one can."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return _reason(error)


def check_room(outputs: Sequence[Output], pixels: Sequence[int]) -> None:
    """Is there room on the disks for pictures of so many pixels? Raises UsageError."""
    needed: Counter[int] = Counter()
    folders: dict[int, Path] = {}
    for output, count_of_pixels in zip(outputs, pixels, strict=True):
        if output.path is not None:
            folder = output.path.resolve().parent
            disk = folder.stat().st_dev
            folders[disk] = folder
            needed[disk] += bytes_at_most(output.form, count_of_pixels)
    for disk, folder in folders.items():
        check_free(folder, needed[disk])


def check_free(folder: Path, needed: int) -> None:
    """Has the disk of this folder so many bytes? Raises UsageError."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UsageError(
            f"there is not enough room in {folder}: {needed / _MEGABYTE:.1f} MB may be "
            f"needed, {free / _MEGABYTE:.1f} MB are free"
        )


def write_result(data: bytes, path: Path) -> None:
    """Write a file, whole or not at all; a link is followed. Raises OutputError."""
    try:
        write_atomically(path.resolve(), data)
    except OSError as error:
        raise cannot_write(str(path), error) from error


def means_a_folder(out: str) -> bool:
    """Whether `-o` names a folder by itself, with one photo too."""
    return out != STDOUT and (os.path.isdir(out) or out.endswith(os.sep))


def _free_names(wanted: Iterable[tuple[Path, str, str]]) -> Iterator[Path]:
    taken: set[str] = set()
    for folder, stem, suffix in wanted:
        for number in count(1):
            path = folder / f"{stem}{'' if number == 1 else f'-{number}'}{suffix}"
            # Some disks take a.jpg and A.jpg for the same file.
            key = str(path.absolute()).casefold()
            if key not in taken:
                taken.add(key)
                yield path
                break


def _identities(paths: Iterable[Path]) -> Iterator[tuple[int, int]]:
    """What two names of the same file have in common; nothing for files that aren't there."""
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        yield status.st_dev, status.st_ino


def make_folder(folder: Path) -> None:
    """Make it if it isn't there. Raises UsageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the folder {folder} can't be made: {_reason(error)}") from error


def check_stdout() -> None:
    """Is it a place for a picture? Raises UsageError."""
    if sys.stdout.isatty():
        raise UsageError("a picture on the terminal helps nobody; redirect it, or name it with -o")


def cannot_write(name: str, error: OSError) -> OutputError:
    """What to raise for an error in writing."""
    return OutputError(f"{name} can't be written: {_reason(error)}")


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
