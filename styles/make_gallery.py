"""Paint the sample photos in every preset: what `/style` shows, and the sheets of the README.

`python -m styles.make_gallery` paints the face for the gallery; `--sheets` makes a sheet of each
sample photo as well. Needs the engine, so it takes about a minute a picture without a card.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from models.interface import Quality, Style, StyleOptions, Stylizer
from models.pictures import open_picture, save_picture
from styles.catalog import Catalog, default_catalog
from styles.gallery import painted_sheet
from styles.preset import Preset

SIZE_PX = 400
SHEETS = Path(__file__).parent / "sheets"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m styles.make_gallery", description=__doc__)
    parser.add_argument("slugs", nargs="*", metavar="slug", help="only these presets")
    parser.add_argument("--size", type=int, default=SIZE_PX, metavar="PX", help="long side")
    parser.add_argument("--sheets", action="store_true", help="also a sheet of each sample photo")
    wishes = parser.parse_args(arguments)

    from models.stylizer import load_stylizer

    catalog, stylizer = default_catalog(), load_stylizer()
    presets = [p for p in catalog.presets() if not wishes.slugs or p.slug in wishes.slugs]
    for preset in tqdm(presets, unit="preset"):
        painted = paint_preset(stylizer, catalog.sample, preset, size_px=wishes.size)
        preset.painted_sample.parent.mkdir(exist_ok=True)
        save_picture(painted, preset.painted_sample)
    if wishes.sheets:
        make_sheets(
            catalog,
            lambda photo, preset: paint_preset(stylizer, photo, preset, size_px=wishes.size),
        )


def paint_preset(stylizer: Stylizer, photo: Path, preset: Preset, *, size_px: int) -> Image.Image:
    """The photo in the manner of a preset, with the options that suit it."""
    options = StyleOptions(
        quality=Quality.STANDARD,
        size_px=size_px,
        strength=preset.strength,
        brush=preset.brush,
        keep_colors=preset.keep_colors,
    )
    return stylizer.stylize(photo, [Style(preset.picture)], options).picture


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


if __name__ == "__main__":
    main()
