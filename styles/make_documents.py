"""Paint the pictures of the documents: `python -m styles.make_documents docs`.

A triptych (photo, style, painting) and a moving clip beside its painting for the README, and a
sheet of the options. Needs the engine, so it takes a few minutes without a GPU.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

from models.engine.loading import load_stylizer
from models.engine.stylizer import TorchStylizer
from models.interface import StyleOptions, Stylizer
from models.pictures.reading import open_picture
from models.pictures.written_formats import save_picture
from styles.catalog import default_catalog
from styles.gallery import compose_sheet, grid_sheet
from styles.preset import Preset

_TRIPTYCH_PX, _OPTIONS_PX = 480, 320
_GAP_PX = 12
_CLIP_PHOTO = "city.jpg"
_CLIP_SIZE = (320, 240)
_CLIP_FRAMES, _CLIP_STEP_PX, _CLIP_FRAME_MS = 30, 4, 66
_CLIP_GAP_PX = 6


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m styles.make_documents", description=__doc__)
    parser.add_argument("folder", type=Path, help="the documents'")
    folder: Path = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    catalog, stylizer = default_catalog(), load_stylizer()
    preset = catalog.presets()[0]
    save_picture(triptych(stylizer, catalog.sample, preset), folder / "triptych.jpg")
    save_picture(options_sheet(stylizer, catalog.sample, preset), folder / "options.jpg")
    frames = pan(open_picture(catalog.sample.parent / _CLIP_PHOTO))
    pairs = clip_beside_painting(stylizer, frames, preset)
    pairs[0].save(
        folder / "clip.webp",
        save_all=True,
        append_images=pairs[1:],
        duration=_CLIP_FRAME_MS,
        loop=0,
        quality=75,
        method=6,
    )


def triptych(
    stylizer: Stylizer, photo: Path, preset: Preset, *, size_px: int = _TRIPTYCH_PX
) -> Image.Image:
    """Photo, style and the photo in that style side by side."""
    options = preset.hinted(StyleOptions(size_px=size_px))
    pictures = [
        open_picture(photo),
        open_picture(preset.picture),
        stylizer.stylize(photo, [preset.style], options).picture,
    ]
    cell = (size_px, size_px)
    fitted = [ImageOps.fit(each, cell, Image.Resampling.LANCZOS) for each in pictures]
    sheet = grid_sheet([fitted], gap_px=_GAP_PX)
    return sheet.crop((0, 0, sheet.width - _GAP_PX, size_px))


def options_sheet(
    stylizer: Stylizer, photo: Path, preset: Preset, *, size_px: int = _OPTIONS_PX
) -> Image.Image:
    """What the options do, each by its name."""
    usual = preset.hinted(StyleOptions(size_px=size_px))
    asked = {
        "Strength 30": replace(usual, strength=30),
        "Strength 70, the default": usual,
        "Strength 100": replace(usual, strength=100),
        "The photo's colours": replace(usual, keep_colors=True),
        "Brush 0.5": replace(usual, brush=0.5),
        "Brush 2": replace(usual, brush=2.0),
        "Face as painted": replace(usual, keep_faces=False),
        "HD": replace(usual, size_px=2 * size_px),
    }
    painted = [
        (label, stylizer.stylize(photo, [preset.style], options).picture)
        for label, options in tqdm(asked.items(), desc="options")
    ]
    return compose_sheet([("The photo", open_picture(photo)), *painted])


def pan(photo: Image.Image) -> list[Image.Image]:
    """Frames of a camera that moves to the right over a photo."""
    width, height = _CLIP_SIZE
    steps = [_CLIP_STEP_PX * number for number in range(_CLIP_FRAMES)]
    wide = ImageOps.fit(photo, (width + steps[-1], height), Image.Resampling.LANCZOS)
    return [wide.crop((left, 0, left + width, height)) for left in steps]


def clip_beside_painting(
    stylizer: TorchStylizer, frames: Iterable[Image.Image], preset: Preset
) -> list[Image.Image]:
    """Each frame of a clip beside its painting."""
    painter = stylizer.frame_painter([preset.style], preset.hinted(StyleOptions()))
    pairs = []
    for frame in tqdm(frames, desc="clip"):
        painted = Image.fromarray(painter.paint(np.asarray(frame)))
        sheet = grid_sheet([[frame, painted]], gap_px=_CLIP_GAP_PX)
        pairs.append(sheet.crop((0, 0, sheet.width - _CLIP_GAP_PX, frame.height)))
    return pairs


if __name__ == "__main__":
    main()
