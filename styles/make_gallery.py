"""Paint the sample photos in every preset: what `/style` shows, and the sheets of the README.

`python -m styles.make_gallery` paints the face for the gallery; `--sheets` makes a sheet of each
sample photo as well, `--drafts` one that shows photo, style, draft and painting side by side. Needs
the engine, so it takes about a minute a picture without a GPU.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageOps
from tqdm import tqdm

from models.interface import Quality, StyleOptions, Stylizer
from models.pictures.reading import open_picture
from models.pictures.written_formats import save_picture
from styles.catalog import Catalog, default_catalog
from styles.gallery import grid_sheet, painted_sheet
from styles.preset import Preset

SIZE_PX = 400
SHEET_CELL_PX = 320
SHEETS = Path(__file__).parent / "sheets"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m styles.make_gallery", description=__doc__)
    parser.add_argument("slugs", nargs="*", metavar="slug", help="only these presets")
    parser.add_argument("--size", type=int, default=SIZE_PX, metavar="PX", help="long side")
    parser.add_argument("--sheets", action="store_true", help="also a sheet of each sample photo")
    parser.add_argument("--drafts", type=Path, metavar="FILE", help="drafts beside paintings")
    args = parser.parse_args(arguments)

    from models.engine.loading import load_stylizer

    catalog, stylizer = default_catalog(), load_stylizer()
    presets = [p for p in catalog.presets() if not args.slugs or p.slug in args.slugs]
    for preset in tqdm(presets, unit="preset"):
        painted = paint_preset(stylizer, catalog.sample, preset, size_px=args.size)
        preset.painted_sample.parent.mkdir(exist_ok=True)
        save_picture(painted, preset.painted_sample)
    if args.sheets:
        make_sheets(
            catalog,
            lambda photo, preset: paint_preset(stylizer, photo, preset, size_px=args.size),
        )
    if args.drafts:
        save_picture(draft_sheet(catalog, stylizer, size_px=args.size), args.drafts)


def paint_preset(
    stylizer: Stylizer,
    photo: Path,
    preset: Preset,
    *,
    size_px: int,
    quality: Quality = Quality.STANDARD,
    keep_faces: bool | None = None,
) -> Image.Image:
    """The photo in the manner of a preset, with the options that suit it.

    `keep_faces` None is what the preset says.
    """
    options = preset.hinted(StyleOptions(quality=quality, size_px=size_px))
    if keep_faces is not None:
        options = replace(options, keep_faces=keep_faces)
    return stylizer.stylize(photo, [preset.style], options).picture


def make_sheets(catalog: Catalog, paint: Callable[[Path, Preset], Image.Image]) -> None:
    """One sheet for every sample photo; the one of the gallery isn't painted again."""
    SHEETS.mkdir(exist_ok=True)
    for photo in sorted(catalog.sample.parent.glob("*.jpg")):

        def painted(preset: Preset, photo: Path = photo) -> Image.Image:
            if photo == catalog.sample and preset.painted_sample.is_file():
                return open_picture(preset.painted_sample)
            return paint(photo, preset)

        sheet = painted_sheet(tqdm(catalog.presets(), desc=photo.stem), "en", painted)
        save_picture(sheet, SHEETS / photo.name)


def draft_sheet(catalog: Catalog, stylizer: Stylizer, *, size_px: int) -> Image.Image:
    """A row for each preset: photo, style picture, draft, painting; the photos take turns."""
    presets, photos = catalog.presets(), sorted(catalog.sample.parent.glob("*.jpg"))
    cell = (SHEET_CELL_PX, SHEET_CELL_PX)
    rows = []
    for number, preset in enumerate(tqdm(presets, desc="drafts")):
        photo = photos[number % len(photos)]
        pictures = [open_picture(photo), open_picture(preset.picture)] + [
            paint_preset(stylizer, photo, preset, size_px=size_px, quality=quality)
            for quality in (Quality.DRAFT, Quality.STANDARD)
        ]
        rows.append([ImageOps.fit(each, cell, Image.Resampling.LANCZOS) for each in pictures])
    return grid_sheet(rows)


if __name__ == "__main__":
    main()
