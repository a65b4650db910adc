"""The catalogue of presets: the packaged ones, and those that the owner added."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from styles.errors import (
    BadNameError,
    BadPictureError,
    CatalogError,
    NameTakenError,
    NotOwnError,
)
from styles.names import make_slug, name_key, tidy_name
from styles.own_folder import OwnFolder
from styles.preset import ENTRIES_FILE, Preset, read_folder

__all__ = [
    "BadNameError",
    "BadPictureError",
    "Catalog",
    "CatalogError",
    "NameTakenError",
    "NotOwnError",
    "Preset",
    "default_catalog",
]


def default_catalog(own_folder: Path | None = None) -> Catalog:
    """The packaged presets, and those that the owner keeps in `own_folder`."""
    return Catalog(Path(__file__).parent, own_folder)


class Catalog:
    """All presets there are, in the order to show them: packaged first, then the owner's.

    Reading answers from memory. The constructor, `reload`, `add` and `remove` read and write files:
    call them off the event loop. All methods may be called from any thread.
    """

    def __init__(self, packaged: Path, own_folder: Path | None = None) -> None:
        """Load the presets of both folders; the owner's need not exist yet."""
        self._packaged = packaged
        self._own = OwnFolder(own_folder) if own_folder else None
        self._changing = threading.Lock()
        self._presets: dict[str, Preset] = {}
        self._problems: tuple[str, ...] = ()
        self.reload()

    @property
    def problems(self) -> tuple[str, ...]:
        """What was wrong with entries that are left out: file, entry and field, a sentence each."""
        return self._problems

    def presets(self) -> tuple[Preset, ...]:
        """All presets in the order to show them."""
        return tuple(self._presets.values())

    def get(self, slug: str) -> Preset | None:
        """The preset of this slug, if there is one."""
        return self._presets.get(slug)

    def find(self, text: str) -> Preset | None:
        """The preset that a person means by `text`: its slug, or its name in any language."""
        return _owner_of(text, self._presets.values())

    @property
    def sample(self) -> Path:
        """A photo to try a style on."""
        return self._packaged / "samples" / "face.jpg"

    def reload(self) -> None:
        """Read the folders again; a bad entry becomes a problem and takes down no other."""
        folders = [self._packaged, *([self._own.path] if self._own else [])]
        unique: dict[str, Preset] = {}
        problems: list[str] = []
        for folder in folders:
            presets, bad_entries = read_folder(folder, own=folder != self._packaged)
            problems += bad_entries
            for preset in presets:
                clash = _clash(preset, unique)
                if clash is None:
                    unique[preset.slug] = preset
                else:
                    problems.append(f"{folder / ENTRIES_FILE}: entry {preset.slug!r}: {clash}")
        # Rebinding is atomic: readers in other threads see the old or the new, never a mixture.
        self._presets, self._problems = unique, tuple(problems)

    def add(
        self, name: str, picture: Path, *, credit: str = "added by the owner", licence: str = "own"
    ) -> Preset:
        """Keep `picture` as a preset called `name` in every language; it is there at once.

        The picture is written anew, so that nothing but the pixels (no EXIF, no GPS) is kept.
        Raises `BadNameError`, `NameTakenError`, `BadPictureError`, and `CatalogError` where there
        is no folder to write to.
        """
        try:
            name = tidy_name(name)
        except ValueError as error:
            raise BadNameError(str(error)) from None
        with self._changing:
            taken = self.find(name)
            if taken is not None:
                raise NameTakenError(name, taken.slug)
            folder = self._owners()
            slug = make_slug(name, taken=folder.taken_slugs() | self._taken())
            folder.append(slug, name, picture, credit=credit, licence=licence)
            self.reload()
        added = self.get(slug)
        if added is None:
            raise CatalogError(f"{name!r} was removed from the file meanwhile")
        return added

    def remove(self, slug: str) -> Preset:
        """Take an added preset away again, picture and all; returns what it was.

        Raises `NotOwnError` for a packaged preset or one that isn't there.
        """
        with self._changing:
            preset = self._added(slug)
            self._owners().drop(slug)
            self.reload()
            preset.painted_sample.unlink(missing_ok=True)
            if all(other.picture != preset.picture for other in self.presets()):
                preset.picture.unlink(missing_ok=True)
        return preset

    def _added(self, slug: str) -> Preset:
        preset = self.get(slug)
        if preset is None or not preset.own:
            raise NotOwnError(slug)
        return preset

    def _owners(self) -> OwnFolder:
        if self._own is None:
            raise CatalogError("there is no folder for added presets")
        return self._own

    def _taken(self) -> set[str]:
        names = {name_key(name) for preset in self.presets() for name in preset.names.values()}
        return names | set(self._presets)


def _owner_of(text: str, presets: Iterable[Preset]) -> Preset | None:
    key = name_key(text)
    for preset in presets:
        if key == preset.slug or key in map(name_key, preset.names.values()):
            return preset
    return None


def _clash(preset: Preset, others: Mapping[str, Preset]) -> str | None:
    fields = {"slug": preset.slug} | {f"name.{k}": v for k, v in preset.names.items()}
    for field, text in fields.items():
        owner = _owner_of(text, others.values())
        if owner is not None:
            return f"field {field!r}: {text!r} is taken by the preset {owner.slug!r}"
    return None
