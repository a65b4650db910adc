"""Sheets of labelled pictures: the gallery that `/style` shows, and the same for any photo."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from models.pictures.reading import open_picture
from styles.preset import Preset

_FONT_FOLDER = Path(__file__).parent / "fonts"
FONTS = (
    _FONT_FOLDER / "DejaVuSansCondensed-Bold.ttf",
    _FONT_FOLDER / "NotoSansCJKsc-Bold-subset.otf",
)
"""Pillow's own font has no Cyrillic letters, and the first of these no Chinese ones."""
_NO_LETTER = "\U0010ffff"
"""No font has it: drawn as whatever stands for a letter that is missing."""

SHEET_WIDTH_PX = 1280
"""What Telegram keeps of a photo's width."""
MIN_COLUMNS = 3
GAP_PX = 14
MIN_SHRINK = 0.6
"""Smaller letters could not be read on a phone; a longer name is cut."""
PAPER, INK = "#f7f4ec", "#22201c"

LabelledPicture = tuple[str, Image.Image]
"""A label and the picture above it."""


def compose_sheet(pictures: Sequence[LabelledPicture]) -> Image.Image:
    """All pictures on one sheet, row by row, large enough to be read on a phone.

    Every cell has the shape of the first picture; others are cropped to it around their middle.
    Raises ValueError if there is no picture.
    """
    if not pictures:
        raise ValueError("a sheet needs at least one picture")
    columns = max(MIN_COLUMNS, math.ceil(math.sqrt(len(pictures))))
    columns = min(columns, len(pictures))
    width = (SHEET_WIDTH_PX - GAP_PX) // columns - GAP_PX
    first = pictures[0][1]
    height = round(width * min(max(first.height / first.width, 0.6), 1.5))
    label_height = round(width * 0.14) + 8
    rows = math.ceil(len(pictures) / columns)
    sheet = Image.new(
        "RGB",
        (SHEET_WIDTH_PX, GAP_PX + rows * (height + label_height + GAP_PX // 2)),
        PAPER,
    )
    for index, (label, picture) in enumerate(pictures):
        row, column = divmod(index, columns)
        left = GAP_PX + column * (width + GAP_PX)
        top = GAP_PX + row * (height + label_height + GAP_PX // 2)
        cell = ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)
        sheet.paste(cell, (left, top))
        _write_label(sheet, label, (left, top + height, left + width, top + height + label_height))
    return sheet


def grid_sheet(rows: Sequence[Sequence[Image.Image]], *, gap_px: int = 0) -> Image.Image:
    """Pictures of one size side by side, each row below the last."""
    width, height = (side + gap_px for side in rows[0][0].size)
    sheet = Image.new("RGB", (width * len(rows[0]), height * len(rows)), PAPER)
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            sheet.paste(picture, (x * width, y * height))
    return sheet


def gallery_sheet(presets: Iterable[Preset], language: str) -> Image.Image:
    """Presets as each of them paints the sample photo, with its name in `language`.

    A preset that hasn't painted it yet shows its own picture. Decodes files: call it off the loop.
    """
    return compose_sheet(
        [
            (preset.name(language), open_picture(preset.shown, long_side_px=640))
            for preset in presets
        ]
    )


def painted_sheet(
    presets: Iterable[Preset], language: str, paint: Callable[[Preset], Image.Image]
) -> Image.Image:
    """The same sheet for any photo: `paint` gives the photo in the manner of a preset."""
    return compose_sheet([(preset.name(language), paint(preset)) for preset in presets])


def _write_label(sheet: Image.Image, label: str, box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = box
    label, font = _lettering(label, (bottom - top) * 0.62)
    font = _fitting(label, font, right - left)
    ImageDraw.Draw(sheet).text(
        ((left + right) / 2, (top + bottom) / 2),
        _shortened(label, font, right - left),
        font=font,
        fill=INK,
        anchor="mm",
    )


def _fitting(label: str, font: ImageFont.FreeTypeFont, width: float) -> ImageFont.FreeTypeFont:
    """The same font, as small as it takes, down to `MIN_SHRINK`."""
    full_size = font.size
    # By steps: letters are fitted to the pixels, so that half the size is not half the length.
    for percent in range(100, round(100 * MIN_SHRINK) - 1, -2):
        font = font.font_variant(size=full_size * percent / 100)
        if font.getlength(label) <= width:
            break
    return font


def _lettering(label: str, size_px: float) -> tuple[str, ImageFont.FreeTypeFont]:
    """The font that has most of the letters, and the label without those that it lacks."""
    fonts = [ImageFont.truetype(file, size_px) for file in FONTS]
    written = [(_without_missing(label, font), font) for font in fonts]
    return max(written, key=lambda text_and_font: len(text_and_font[0]))


def _without_missing(label: str, font: ImageFont.FreeTypeFont) -> str:
    missing = _shape(_NO_LETTER, font)
    known = "".join(letter for letter in label if _shape(letter, font) != missing)
    return " ".join(known.split())


def _shape(letter: str, font: ImageFont.FreeTypeFont) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)


def _shortened(label: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """As much of the label as fits, and an ellipsis for the rest."""
    if font.getlength(label) <= width:
        return label
    fitting = (label[:end].rstrip() + "…" for end in range(len(label) - 1, 0, -1))
    return next((text for text in fitting if font.getlength(text) <= width), "…")
