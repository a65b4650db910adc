"""What a preset is, and how one is read from an entry of `presets.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.interface import MAX_BRUSH, MAX_STRENGTH, MIN_BRUSH, MIN_STRENGTH, Style, StyleOptions
from models.neighbours.recipe import PRESET_FIELDS, USUAL_RECIPE, Recipe
from models.pictures.problems import PictureError
from models.pictures.reading import open_picture
from styles.errors import CatalogError
from styles.names import is_slug, tidy_name

FALLBACK_LANGUAGE = "en"
"""Every preset has a name in it, and those of other languages as far as they were written."""
ENTRIES_FILE = "presets.toml"

_USUAL = StyleOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A style that is ready to choose, with the options that suit it best."""

    slug: str
    names: Mapping[str, str]
    """By language code; the English one is there."""
    descriptions: Mapping[str, str]
    """Likewise; empty where the owner wrote none."""
    picture: Path
    credit: str
    licence: str
    strength: int = _USUAL.strength
    brush: float = _USUAL.brush
    keep_colors: bool = _USUAL.keep_colors
    keep_faces: bool = _USUAL.keep_faces
    recipe: Recipe = USUAL_RECIPE
    """How it is painted best, where that is not as usual."""
    own: bool = False
    """From the owner's folder, so it may be removed; the packaged ones stay."""

    @property
    def style(self) -> Style:
        """What the engine paints in."""
        return Style(self.picture, recipe=self.recipe)

    def hinted(self, options: StyleOptions) -> StyleOptions:
        """`options` with all that suits this style best."""
        return replace(
            options,
            strength=self.strength,
            brush=self.brush,
            keep_colors=self.keep_colors,
            keep_faces=self.keep_faces,
        )

    @property
    def painted_sample(self) -> Path:
        """Where the sample photo painted in this style lies, if it was painted."""
        return self.picture.parent / "gallery" / f"{self.slug}.jpg"

    @property
    def shown(self) -> Path:
        """What the gallery shows: the painted sample, or the style picture itself."""
        return self.painted_sample if self.painted_sample.is_file() else self.picture

    def name(self, language: str) -> str:
        """The name in `language`, or in English where that language isn't spoken here."""
        return self.names.get(language, self.names[FALLBACK_LANGUAGE])

    def description(self, language: str) -> str:
        """One line about it, likewise."""
        return self.descriptions.get(language, self.descriptions[FALLBACK_LANGUAGE])


def read_folder(folder: Path, *, own: bool = False) -> tuple[list[Preset], list[str]]:
    """The presets of `folder/presets.toml` in its order, and what is wrong with the others.

    Every problem is one sentence that names the file, the entry and the field. A folder without
    the file has no presets and no problems.
    """
    file = folder / ENTRIES_FILE
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [], []
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or not TOML
        return [], [f"{file}: {error}"]
    entries = document.get("preset", [])
    if not isinstance(entries, list):
        return [], [f"{file}: entries must start with [[preset]]"]
    presets: list[Preset] = []
    problems: list[str] = []
    for number, entry in enumerate(entries, start=1):
        try:
            presets.append(_Entry(entry, folder, number).preset(own=own))
        except CatalogError as error:
            problems.append(str(error))
    return presets, problems


class _Entry:
    """One table of the file, read field by field; every error knows where it stands."""

    def __init__(self, table: object, folder: Path, number: int) -> None:
        self._folder = folder
        self._where = f"{folder / ENTRIES_FILE}: entry {number}"
        if not isinstance(table, dict):
            raise CatalogError(f"{self._where}: must be a table [[preset]]")
        self._table: dict[str, Any] = table
        if isinstance(table.get("slug"), str):
            self._where += f" ({table['slug']!r})"

    def preset(self, *, own: bool) -> Preset:
        self._refuse_unknown_fields()
        return Preset(
            slug=self._slug(),
            names=self._names(),
            descriptions=self._by_language("description", default=""),
            picture=self._picture(),
            credit=self._text("credit"),
            licence=self._text("licence"),
            strength=int(
                self._number("strength", _USUAL.strength, MIN_STRENGTH, MAX_STRENGTH, whole=True)
            ),
            brush=float(self._number("brush", _USUAL.brush, MIN_BRUSH, MAX_BRUSH)),
            keep_colors=self._flag("keep_colors", _USUAL.keep_colors),
            keep_faces=self._flag("keep_faces", _USUAL.keep_faces),
            recipe=self._recipe(),
            own=own,
        )

    def _error(self, field: str, what: str) -> CatalogError:
        return CatalogError(f"{self._where}: field {field!r} {what}")

    def _refuse_unknown_fields(self) -> None:
        known = {"name", "description", "file"} | set(Preset.__dataclass_fields__)
        known = (known | set(PRESET_FIELDS)) - {"names", "descriptions", "picture", "recipe", "own"}
        for field in self._table:
            if field not in known:  # a slip of the pen would otherwise be silently ignored
                raise self._error(field, f"is unknown; known are {', '.join(sorted(known))}")

    def _slug(self) -> str:
        slug = self._text("slug")
        if not is_slug(slug):
            raise self._error("slug", "must be 1-32 small Latin letters, digits and single hyphens")
        return slug

    def _names(self) -> dict[str, str]:
        names = self._by_language("name")
        try:
            return {language: tidy_name(name) for language, name in names.items()}
        except ValueError as error:
            raise self._error("name", f"is not usable: {error}") from None

    def _picture(self) -> Path:
        path = (self._folder / self._text("file")).resolve()
        if not path.is_relative_to(self._folder.resolve()):
            raise self._error("file", "must stay inside the folder")
        try:
            open_picture(path, long_side_px=1)  # reads it to its end, so a truncated one shows
        except PictureError as error:
            raise self._error("file", f"names {path}, which can't be used: {error}") from None
        return path

    def _text(self, field: str) -> str:
        if field not in self._table:
            raise self._error(field, "is missing")
        value = self._table[field]
        if not isinstance(value, str) or not value.strip():
            raise self._error(field, "must be a text")
        return value.strip()

    def _by_language(self, field: str, *, default: str | None = None) -> dict[str, str]:
        """One text for all languages, or a table with one for each."""
        if field not in self._table and default is not None:
            return {FALLBACK_LANGUAGE: default}
        if not isinstance(self._table.get(field), dict):
            return {FALLBACK_LANGUAGE: self._text(field)}
        texts = {FALLBACK_LANGUAGE: None} | self._table[field]
        for language, text in texts.items():
            if not isinstance(text, str) or not text.strip():
                raise self._error(f"{field}.{language}", "is missing or not a text")
        return {language: text.strip() for language, text in texts.items()}

    def _number(
        self, field: str, default: float, low: float, high: float, *, whole: bool = False
    ) -> int | float:
        value = self._table.get(field, default)
        allowed = int if whole else (int, float)
        if not isinstance(value, allowed) or isinstance(value, bool) or not low <= value <= high:
            kind = "a whole number" if whole else "a number"
            raise self._error(field, f"must be {kind} from {low} to {high}")
        return value

    def _recipe(self) -> Recipe:
        fields: dict[str, Any] = {
            field: float(self._number(field, getattr(USUAL_RECIPE, field), 0, most))
            for field, most in PRESET_FIELDS.items()
        }
        return replace(USUAL_RECIPE, **fields)

    def _flag(self, field: str, default: bool) -> bool:
        value = self._table.get(field, default)
        if not isinstance(value, bool):
            raise self._error(field, "must be true or false")
        return value
