"""What a command line wants painted: the styles and the options of `stylize` and `clip`."""

from __future__ import annotations

import argparse
import difflib
import os
from dataclasses import dataclass, replace
from pathlib import Path

from app.commands.errors import UsageError
from models.interface import MAX_STYLES, Style, StyleOptions
from models.pictures.headers import inspect
from models.pictures.problems import PictureError
from styles.catalog import Catalog
from styles.preset import Preset

_FACES = {"keep": True, "paint": False}
"""The words of `--faces` and what they mean for `StyleOptions.keep_faces`."""
_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """What everything of a command line is painted with."""

    styles: tuple[Style, ...]
    options: StyleOptions
    label: str
    """The styles' names, for the names of files."""


def add_style(parser: argparse.ArgumentParser) -> None:
    """Declare `--style`."""
    parser.add_argument(
        "--style",
        action="append",
        required=True,
        metavar="NAME|PATH",
        help="a preset's name or a picture; given several times, the styles are mixed",
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options that a preset has hints for; without them the hints count."""
    parser.add_argument("--strength", type=int, help="0 (the photo) to 100")
    parser.add_argument("--keep-colors", action=argparse.BooleanOptionalAction, default=None)
    parser.add_argument(
        "--faces", choices=_FACES, help="keep them those persons' own, or paint them like the rest"
    )
    parser.add_argument("--brush", type=float, help="2 paints with strokes twice as wide")


def understood(args: argparse.Namespace, catalog: Catalog, **others: object) -> Wish:
    """The styles and options that were typed, with `others` of StyleOptions. Raises UsageError."""
    if len(args.style) > MAX_STYLES:
        raise UsageError(f"at most {MAX_STYLES} styles can be mixed, not {len(args.style)}")
    chosen = [_chosen(text, catalog) for text in args.style]
    asked = {
        "strength": args.strength,
        "keep_colors": args.keep_colors,
        "keep_faces": None if args.faces is None else _FACES[args.faces],
        "brush": args.brush,
    }
    try:
        options = StyleOptions()
        if len(chosen) == 1 and isinstance(chosen[0], Preset):
            options = chosen[0].hinted(options)
        typed = {name: value for name, value in asked.items() if value is not None}
        options = replace(options, **others, **typed)  # type: ignore[arg-type]
    except ValueError as error:
        raise UsageError(str(error)) from error
    names = [style.slug if isinstance(style, Preset) else style.stem for style in chosen]
    styles = [style.style if isinstance(style, Preset) else Style(style) for style in chosen]
    return Wish(tuple(styles), options, label="-".join(names))


def _chosen(text: str, catalog: Catalog) -> Preset | Path:
    preset = catalog.find(text)
    if preset is not None:
        return preset
    if os.path.isfile(text):
        try:
            inspect(Path(text))
        except PictureError as error:
            raise UsageError(f"the style {text}: {error}") from error
        return Path(text)
    names = {name.casefold(): p.slug for p in catalog.presets() for name in p.names.values()}
    names |= {p.slug: p.slug for p in catalog.presets()}
    close = difflib.get_close_matches(text.casefold(), names, n=_SUGGESTIONS)
    if close:
        hint = f"did you mean {' or '.join(dict.fromkeys(names[name] for name in close))}?"
    else:
        hint = f"presets: {', '.join(preset.slug for preset in catalog.presets())}"
    raise UsageError(f"{text!r} is neither a picture file nor a preset; {hint}")
