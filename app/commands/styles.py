"""`run.py styles`: the presets, as a list or on a photo."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from app.commands.engine import add_engine, with_engine
from app.commands.errors import UsageError
from app.commands.outputs import check_outputs, named_output
from app.commands.paint import add_output, wanted_format
from app.commands.progress_bar import ProgressBar
from app.engine import load_engine
from app.exit_codes import ExitCode
from models.interface import Quality, StyleOptions
from models.pictures.headers import inspect
from models.pictures.problems import PictureError
from models.pictures.written_formats import PictureFormat, suffix_of
from styles.catalog import default_catalog
from styles.gallery import SHEET_WIDTH_PX, painted_sheet
from styles.preset import FALLBACK_LANGUAGE, Preset

if TYPE_CHECKING:
    from app.settings import Settings

GALLERY_SIZE_PX = 400
"""A tile of the sheet is not larger."""


def add_styles(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `styles`."""
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--json", action="store_true", help="the list as JSON, with all that it has")
    kinds.add_argument("--gallery", type=Path, metavar="PHOTO", help="paint it in every preset")
    add_output(
        parser,
        help="where the gallery goes; - is standard output; sheet.png if not given",
    )
    parser.add_argument("--quality", choices=[q.value for q in Quality], default=Quality.STANDARD)
    parser.add_argument("--size", type=int, default=GALLERY_SIZE_PX, help="long side of a tile")
    parser.add_argument(
        "--language",
        metavar="CODE",
        default=FALLBACK_LANGUAGE,
        help="of names and descriptions; English where they have none in it",
    )
    add_engine(parser)


def styles(args: argparse.Namespace, settings: Settings) -> int:
    """List the presets, or make the sheet. Raises `UsageError`, `OutputError`, `EngineError`."""
    catalog = default_catalog(settings.styles_dir)
    for problem in catalog.problems:
        print(f"left out: {problem}", file=sys.stderr)
    presets = catalog.presets()
    if args.gallery is not None:
        return _gallery(args, settings, presets)
    if args.json:
        print(json.dumps([_described(preset) for preset in presets], ensure_ascii=False, indent=2))
        return ExitCode.DONE
    width = max(len(preset.slug) for preset in presets)
    for preset in presets:
        name, about = preset.name(args.language), preset.description(args.language)
        print(f"{preset.slug:<{width}}  {name}: {about}")
    return ExitCode.DONE


def _described(preset: Preset) -> dict[str, object]:
    return {
        "slug": preset.slug,
        "names": dict(preset.names),
        "descriptions": dict(preset.descriptions),
        "picture": str(preset.picture),
        "credit": preset.credit,
        "licence": preset.licence,
        "strength": preset.strength,
        "brush": preset.brush,
        "keep_colors": preset.keep_colors,
        "keep_faces": preset.keep_faces,
        "own": preset.own,
    }


def _gallery(args: argparse.Namespace, settings: Settings, presets: tuple[Preset, ...]) -> int:
    try:
        wanted = StyleOptions(quality=Quality(args.quality), size_px=args.size)
    except ValueError as error:
        raise UsageError(str(error)) from error
    try:
        inspect(args.gallery)
    except PictureError as error:
        raise UsageError(f"{args.gallery}: {error}") from error
    form = wanted_format(args)
    output = named_output(args.out or f"sheet{suffix_of(form or PictureFormat.PNG)}", form)
    # The sheet's height depends on the photo's shape; it is about as high as wide.
    check_outputs([output], pixels=[SHEET_WIDTH_PX**2], inputs=[args.gallery], force=args.force)
    stylizer = load_engine(with_engine(args, settings))
    with ProgressBar(len(presets)) as bar:

        def paint(preset: Preset) -> Image.Image:
            styles = [preset.style]
            bar.begin(preset.slug)
            options = preset.hinted(wanted)
            painting = stylizer.stylize(args.gallery, styles, options, on_step=bar.show)
            bar.end()
            return painting.picture

        sheet = painted_sheet(presets, args.language, paint)
    output.write(sheet)
    if output.path is not None:
        print(output)
    return ExitCode.DONE
