"""Pictures to bytes, without metadata."""

from __future__ import annotations

import io

from PIL import Image

JPEG_QUALITY = 92


def encode_jpeg(
    picture: Image.Image,
    *,
    quality: int = JPEG_QUALITY,
    icc_profile: bytes | None = None,
    dpi: int | None = None,
) -> bytes:
    """JPEG bytes without any metadata but the colour profile that is given, and `dpi`: how many
    pixels go on an inch of paper.
    """
    buffer = io.BytesIO()
    # Not optimised: that is done in one piece, which stops all other threads for as long, and fails
    # where noise takes more than a byte a pixel.
    density = {} if dpi is None else {"dpi": (dpi, dpi)}
    bare_picture(picture).save(
        buffer, "JPEG", quality=quality, subsampling=0, icc_profile=icc_profile, **density
    )
    return buffer.getvalue()


def encode_png(picture: Image.Image, *, icc_profile: bytes | None = None) -> bytes:
    """PNG bytes, likewise."""
    buffer = io.BytesIO()
    bare_picture(picture).save(buffer, "PNG", icc_profile=icc_profile)
    return buffer.getvalue()


def bare_picture(picture: Image.Image) -> Image.Image:
    """An RGB copy without EXIF, GPS, comments and profiles: some writers take them from `info`."""
    bare = picture.convert("RGB") if picture.mode != "RGB" else picture.copy()
    bare.info.clear()
    return bare
