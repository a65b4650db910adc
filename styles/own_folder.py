"""The owner's folder of presets: entries and pictures written so that a crash loses nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import tomlkit
from tomlkit.items import AoT

from models.files import write_atomically
from models.pictures.encoding import encode_jpeg
from models.pictures.problems import PictureError
from models.pictures.reading import open_picture
from styles.errors import BadPictureError, CatalogError
from styles.preset import ENTRIES_FILE

IMAGES = "images"
KEPT_SIDE_PX = 2048
"""A larger picture gives no other style, only more to decode."""


class OwnFolder:
    """Changes `presets.toml` by entries, keeping the owner's own lines, order and comments.

    Every method reads or writes files, and raises `CatalogError` where that can't be done.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path / ENTRIES_FILE

    def taken_slugs(self) -> set[str]:
        """Slugs of all entries, those with problems too (repaired, they would clash), and files."""
        files = {file.stem for file in (self.path / IMAGES).glob("*")}
        return files | {str(entry.get("slug")) for entry in _entries(self._read())}

    def append(self, slug: str, name: str, picture: Path, *, credit: str, licence: str) -> None:
        """Keep `picture`, and an entry for it. Raises `BadPictureError` too."""
        file = f"{IMAGES}/{slug}.jpg"
        self.keep_picture(picture, self.path / file)
        entry = tomlkit.table()
        entry.update(slug=slug, name=name, file=file, credit=credit, licence=licence)
        document = self._read()
        _entries(document).append(entry)
        self._write(document)

    def drop(self, slug: str) -> None:
        """Take the entry of this slug out, if it is still there."""
        document = self._read()
        entries = _entries(document)
        for entry in [entry for entry in entries if entry.get("slug") == slug]:
            entries.remove(entry)
        self._write(document)

    def keep_picture(self, source: Path, target: Path) -> None:
        """Write a picture anew: only its pixels, no EXIF, no GPS. Raises `BadPictureError` too."""
        try:
            picture = open_picture(source, long_side_px=KEPT_SIDE_PX)
        except PictureError as error:
            raise BadPictureError(str(error)) from error
        self._write_file(target, encode_jpeg(picture))

    def _read(self) -> tomlkit.TOMLDocument:
        try:
            return tomlkit.parse(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return tomlkit.document()
        except (OSError, ValueError) as error:  # ValueError: not UTF-8, or not TOML
            raise CatalogError(f"{self._file}: {error}; repair it first") from None

    def _write(self, document: tomlkit.TOMLDocument) -> None:
        self._write_file(self._file, tomlkit.dumps(document).encode())

    def _write_file(self, target: Path, content: bytes) -> None:
        with _told_as_catalog_error(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, content)


def _entries(document: tomlkit.TOMLDocument) -> AoT:
    if not document.get("preset"):
        # What an empty list leaves behind can't be appended to in the usual form.
        document.pop("preset", None)
        document["preset"] = tomlkit.aot()
    entries = document["preset"]
    if not isinstance(entries, AoT):
        raise CatalogError(f"{ENTRIES_FILE}: entries must start with [[preset]]; repair it first")
    return entries


@contextlib.contextmanager
def _told_as_catalog_error(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CatalogError(f"{target} can't be written: {error.strerror}") from error
