"""Which programs there are, and what their pictures look like on disk."""

from __future__ import annotations

import importlib
import io
from pathlib import Path

import numpy as np
from PIL import Image

from styles.drawing.fields import clip

IMAGES = Path(__file__).parent.parent / "images"

PROGRAMS = (
    "swirls",
    "wave",
    "mosaic",
    "stained-glass",
    "watercolour",
    "cubism",
    "pointillism",
    "ink-wash",
    "pop-art",
)
"""The slugs; the module of "pop-art" is `styles.drawing.pop_art`."""

JPEG_QUALITY = 90


def draw(slug: str) -> Image.Image:
    """The picture of one program, RGB; takes some seconds."""
    module = importlib.import_module(f"styles.drawing.{slug.replace('-', '_')}")
    colors = clip(module.draw())
    return Image.fromarray((colors * 255 + 0.5).astype(np.uint8))


def encode(picture: Image.Image) -> bytes:
    """The bytes that are packaged."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True, subsampling=0)
    return buffer.getvalue()
