"""The photo and its painting in one picture, to be looked at together."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PIL import Image

from models.pictures.encoding import encode_jpeg
from models.pictures.reading import open_picture

LONG_SIDE_PX: Final = 2560
"""As much as Telegram keeps of a photo."""
WIDEST: Final = 6.0
"""Side by side it is at most so many times as wide as high; wider ones lie above each other."""
GAP: Final = 1 / 120
"""Of the long side of the picture."""
GAP_COLOR: Final = "white"


def compare(photo: Path, painting: Path) -> bytes:
    """Blocking: a JPEG of both. Raises PictureError."""
    return encode_jpeg(
        side_by_side(
            open_picture(photo, long_side_px=LONG_SIDE_PX),
            open_picture(painting, long_side_px=LONG_SIDE_PX),
        )
    )


def side_by_side(before: Image.Image, after: Image.Image) -> Image.Image:
    """Both at the same height, `before` on the left; panoramas at the same width, it on top.

    `after` keeps its size unless the whole would be larger than `LONG_SIDE_PX`.
    """
    width, height = after.size
    before_width = round(before.width * height / before.height)
    if before_width + width > WIDEST * height:
        return _joined(
            [_scaled(before, (width, round(before.height * width / before.width))), after], axis=1
        )
    return _joined([_scaled(before, (before_width, height)), after], axis=0)


def _joined(pictures: list[Image.Image], axis: int) -> Image.Image:
    """In a row along `axis` (0 is to the right, 1 is down) with a gap between them."""
    length = sum(picture.size[axis] for picture in pictures)
    scale = min(1.0, LONG_SIDE_PX / (max(length, pictures[0].size[1 - axis]) * (1 + GAP)))
    pictures = [_scaled(picture, _times(picture.size, scale)) for picture in pictures]
    length = sum(picture.size[axis] for picture in pictures)
    breadth = max(picture.size[1 - axis] for picture in pictures)
    gap = max(2, round(max(length, breadth) * GAP))
    size = [0, 0]
    size[axis], size[1 - axis] = length + gap, breadth
    whole = Image.new("RGB", (size[0], size[1]), GAP_COLOR)
    at = [0, 0]
    for picture in pictures:
        whole.paste(picture, (at[0], at[1]))
        at[axis] += picture.size[axis] + gap
    return whole


def _times(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _scaled(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    if picture.size == size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
