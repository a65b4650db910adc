"""Pictures to send."""

from __future__ import annotations

import io

from PIL import Image


def picture(width_px: int = 120, height_px: int = 80, *, color: str = "teal") -> bytes:
    """A PNG of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (width_px, height_px), color).save(out, "PNG")
    return out.getvalue()
