"""`run.py stylize` and `run.py demo`: painting without a chat."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from PIL import Image
from tqdm import tqdm

from app.commands.engine import add_engine, load_engine
from app.settings import Settings
from models.interface import Painting, Quality, StepReport, Style, StyleOptions, Stylizer
from models.pictures import save_picture
from styles.catalog import Catalog, default_catalog
from styles.preset import Preset

_FACES = {"keep": True, "paint": False}
"""The words of `--faces` and what they mean for `StyleOptions.keep_faces`."""


class UsageError(Exception):
    """The command can't be carried out as typed; the message is one line."""


def add_stylize(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `stylize`."""
    defaults = StyleOptions()
    parser.add_argument("content", type=Path, help="the photo to repaint")
    parser.add_argument(
        "--style",
        action="append",
        required=True,
        metavar="NAME|PATH",
        help="a preset's name or a picture; given several times, the styles are mixed",
    )
    parser.add_argument("-o", "--out", type=Path, help="where the result goes (JPEG or PNG)")
    parser.add_argument("--quality", choices=[q.value for q in Quality], default=defaults.quality)
    parser.add_argument("--size", type=int, default=defaults.size_px, help="long side in pixels")
    parser.add_argument("--steps", type=int, help="optimiser steps in all")
    parser.add_argument("--strength", type=int, help="0 (the photo) to 100")
    parser.add_argument("--keep-colors", action=argparse.BooleanOptionalAction, default=None)
    parser.add_argument(
        "--faces", choices=_FACES, help="keep them those persons' own, or paint them like the rest"
    )
    parser.add_argument("--brush", type=float, help="2 paints with strokes twice as wide")
    add_engine(parser)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def stylize(args: argparse.Namespace, settings: Settings) -> int:
    """Paint one picture. Raises `UsageError`, `PictureError`, `EngineError`."""
    catalog = default_catalog(settings.styles_dir)
    request = _parse(args, catalog)
    check_place(request.out)
    painting = _paint(request, load_engine(args, settings))
    save(painting.picture, request.out)
    print(json.dumps(_summary(request, painting)) if args.json else request.out)
    return 0


def demo(args: argparse.Namespace, settings: Settings) -> int:
    """Paint the sample photo in the first preset and say where the picture lies.

    Raises `UsageError`, `EngineError`.
    """
    catalog = default_catalog(settings.styles_dir)
    preset = catalog.presets()[0]
    out = settings.data_dir / "demo.jpg"
    request = _PaintRequest(
        content=catalog.sample,
        styles=(preset.style,),
        options=preset.hinted(StyleOptions()),
        out=out,
    )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(out, error) from error
    check_place(out)
    painting = _paint(request, load_engine(args, settings))
    save(painting.picture, out)
    print(f"{preset.names['en']}, painted in {painting.seconds:.0f} s: {out.resolve()}")
    return 0


@dataclass(frozen=True, slots=True)
class _PaintRequest:
    """A command line, understood."""

    content: Path
    styles: tuple[Style, ...]
    options: StyleOptions
    out: Path


def _parse(args: argparse.Namespace, catalog: Catalog) -> _PaintRequest:
    chosen = [_chosen(text, catalog) for text in args.style]
    asked = {
        "strength": args.strength,
        "keep_colors": args.keep_colors,
        "keep_faces": None if args.faces is None else _FACES[args.faces],
        "brush": args.brush,
        "steps": args.steps,
    }
    try:
        options = StyleOptions(quality=Quality(args.quality), size_px=args.size, seed=args.seed)
        if len(chosen) == 1 and isinstance(chosen[0], Preset):
            options = chosen[0].hinted(options)
        options = replace(options, **{k: v for k, v in asked.items() if v is not None})
    except ValueError as error:
        raise UsageError(str(error)) from error
    names = [style.slug if isinstance(style, Preset) else style.stem for style in chosen]
    styles = [style.style if isinstance(style, Preset) else Style(style) for style in chosen]
    return _PaintRequest(
        content=args.content,
        styles=tuple(styles),
        options=options,
        # Not with_name: that refuses "." with an error of its own.
        out=args.out or args.content.parent / f"{args.content.stem}-{'-'.join(names)}.jpg",
    )


def _chosen(text: str, catalog: Catalog) -> Preset | Path:
    preset = catalog.find(text)
    if preset is not None:
        return preset
    if Path(text).is_file():
        return Path(text)
    known = ", ".join(preset.slug for preset in catalog.presets())
    raise UsageError(f"{text!r} is neither a picture file nor a preset; presets: {known}")


def check_place(out: Path) -> None:
    """Before the painting, which may take minutes: can there be a file `out`? Raises UsageError."""
    if out.is_dir():
        raise UsageError(f"{out} can't be written: it is a folder")
    if not out.parent.is_dir():
        raise UsageError(f"{out} can't be written: there is no folder {out.parent}")
    if not os.access(out if out.exists() else out.parent, os.W_OK):
        raise UsageError(f"{out} can't be written: permission denied")


def save(picture: Image.Image, out: Path) -> None:
    """Write what was painted. Raises UsageError."""
    try:
        save_picture(picture, out)
    except OSError as error:
        raise _cannot_write(out, error) from error


def _cannot_write(out: Path, error: OSError) -> UsageError:
    return UsageError(f"{out} can't be written: {error.strerror or error}")


def _paint(request: _PaintRequest, stylizer: Stylizer) -> Painting:
    with _Bar() as bar:
        return stylizer.stylize(request.content, request.styles, request.options, on_step=bar.show)


class _Bar:
    """A progress bar on stderr; stdout stays clean for scripts."""

    def __enter__(self) -> Self:
        # The number of steps is known with the first report only.
        self._bar: tqdm[Any] = tqdm(unit="step", file=sys.stderr)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, report: StepReport) -> None:
        self._bar.total = report.steps
        self._bar.update(report.step - self._bar.n)
        if report.loss is not None:
            self._bar.set_postfix(loss=f"{report.loss:.3g}", refresh=False)


def _summary(request: _PaintRequest, painting: Painting) -> dict[str, object]:
    used = painting.options
    return {
        "out": str(request.out),
        "width_px": painting.picture.width,
        "height_px": painting.picture.height,
        "quality": used.quality,
        "strength": used.strength,
        "keep_colors": used.keep_colors,
        "keep_faces": used.keep_faces,
        "faces": painting.faces,
        "brush": used.brush,
        "seed": used.seed,
        "steps": painting.steps,
        "seconds": round(painting.seconds, 3),
        "notes": sorted(painting.notes),
    }
