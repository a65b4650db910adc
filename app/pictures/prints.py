"""A painting in the size of a sheet of paper."""

from __future__ import annotations

from typing import Final

from PIL import Image

from models.pictures.encoding import encode_jpeg

DPI: Final = 300
SHEETS_PX: Final = {"a4": (3508, 2480), "a3": (4961, 3508)}
"""Long and short side at `DPI`."""


def size_for_print(size: tuple[int, int], sheet: str) -> tuple[int, int]:
    """The largest (width, height) of this shape that the sheet holds, lying or upright."""
    long, short = SHEETS_PX[sheet]
    room = (long, short) if size[0] >= size[1] else (short, long)
    scale = min(room[0] / size[0], room[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def encode_for_print(picture: Image.Image, sheet: str) -> bytes:
    """Blocking: a JPEG of that size that says its `DPI`, resampled by Lanczos."""
    size = size_for_print(picture.size, sheet)
    return encode_jpeg(picture.resize(size, Image.Resampling.LANCZOS), dpi=DPI)
