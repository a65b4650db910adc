"""`run.py styles`: the presets, as a list or on a photo."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from app.commands.engine import add_engine, load_engine
from app.commands.paint import UsageError, check_place, save
from app.settings import Settings
from models.interface import Quality, StyleOptions
from styles.catalog import default_catalog
from styles.gallery import painted_sheet
from styles.preset import FALLBACK_LANGUAGE, Preset

GALLERY_SIZE_PX = 400
"""A tile of the sheet is not larger."""


def add_styles(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `styles`."""
    parser.add_argument("--gallery", type=Path, metavar="PHOTO", help="paint it in every preset")
    parser.add_argument("-o", "--out", type=Path, default=Path("sheet.png"))
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
    """List the presets, or make the sheet. Raises `UsageError`, `PictureError`, `EngineError`."""
    catalog = default_catalog(settings.styles_dir)
    for problem in catalog.problems:
        print(f"left out: {problem}", file=sys.stderr)
    presets = catalog.presets()
    if args.gallery is not None:
        return _gallery(args, settings, presets)
    width = max(len(preset.slug) for preset in presets)
    for preset in presets:
        name, about = preset.name(args.language), preset.description(args.language)
        print(f"{preset.slug:<{width}}  {name}: {about}")
    return 0


def _gallery(args: argparse.Namespace, settings: Settings, presets: tuple[Preset, ...]) -> int:
    try:
        wanted = StyleOptions(quality=Quality(args.quality), size_px=args.size)
    except ValueError as error:
        raise UsageError(str(error)) from error
    check_place(args.out)
    stylizer = load_engine(args, settings)
    with tqdm(total=len(presets), unit="preset") as bar:

        def paint(preset: Preset) -> Image.Image:
            styles = [preset.style]
            painting = stylizer.stylize(args.gallery, styles, preset.hinted(wanted))
            bar.update()
            return painting.picture

        sheet = painted_sheet(presets, args.language, paint)
    save(sheet, args.out)
    print(args.out)
    return 0
