"""The fixed pairs of photo and style that methods are compared on, and a sheet of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from models.pictures.reading import open_picture
from models.pictures.sizes import fit_size
from models.training.data import picture_paths
from models.training.evaluation.figures import LONG_SIDE_PX

_SHEET_CELL_PX = 256


@dataclass(frozen=True, slots=True)
class Pair:
    """What to paint, and in which style."""

    photo: Path
    style: Path

    @property
    def name(self) -> str:
        """What a result's file is called, less its ending."""
        return f"{self.photo.stem}_{self.style.stem}"


def validation_pairs(data: Path, count: int) -> list[Pair]:
    """`count` fixed pairs, spread evenly over the validation photos and styles."""
    photos = picture_paths(data / "photos", "validation")
    styles = picture_paths(data / "styles", "validation")
    return [
        Pair(photos[place * len(photos) // count], styles[place * len(styles) // count])
        for place in range(count)
    ]


def sized(picture: Image.Image) -> Image.Image:
    """The picture with its long side at `LONG_SIDE_PX`."""
    return picture.resize(fit_size(picture.size, LONG_SIDE_PX), Image.Resampling.LANCZOS)


def contact_sheet(pairs: Sequence[Pair], columns: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """A row for each pair: photo, style, then every method's painting."""
    cell = _SHEET_CELL_PX
    sheet = Image.new("RGB", (cell * (2 + len(columns)), cell * len(pairs)), "white")
    for row, pair in enumerate(pairs):
        sources = [open_picture(pair.photo), open_picture(pair.style)]
        for column, picture in enumerate(sources + [painted[row] for painted in columns]):
            sheet.paste(
                ImageOps.pad(picture, (cell, cell), color="white"), (cell * column, cell * row)
            )
    return sheet
