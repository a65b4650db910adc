"""Pictures to send: photos, paintings, and what strangers send instead."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from models.pictures.formats import set_up_pillow

SIZE = (160, 120)


def photo(seed: int = 0, size: tuple[int, int] = SIZE) -> bytes:
    """A JPEG of soft hills under a sky, different for each seed."""
    return jpeg(hills(seed, size))


def painting(seed: int = 0, size: tuple[int, int] = SIZE) -> bytes:
    """A JPEG of hard coloured stripes, as unlike a photo as can be."""
    rng = np.random.default_rng(seed)
    palette = rng.integers(0, 256, (6, 3), dtype=np.uint8)
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    stripes = ((x + 2 * y + 9 * np.sin(x / 7)) // 9).astype(int) % len(palette)
    return jpeg(Image.fromarray(palette[stripes]))


def hills(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    channels = []
    for _ in range(3):
        a, b, phase = rng.uniform(2, 9, 3)
        channels.append(127 + 120 * np.sin(a * x + phase) * np.cos(b * y))
    return Image.fromarray(np.stack(channels, axis=-1).clip(0, 255).astype(np.uint8))


def jpeg(image: Image.Image, **options: Any) -> bytes:
    return encoded(image, "JPEG", quality=90, **options)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def huge_png(side_px: int = 20_000) -> bytes:
    """A PNG of one bit a pixel: small as a file and enormous once decoded."""
    header = struct.pack(">IIBBBBB", side_px, side_px, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1 + side_px // 8) * side_px)
    chunks = [(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def sixteen_bit_png() -> bytes:
    grey = np.linspace(0, 65535, SIZE[0] * SIZE[1]).reshape(SIZE[1], SIZE[0])
    return encoded(Image.fromarray(grey.astype(np.uint16)), "PNG")


def cmyk_jpeg() -> bytes:
    return encoded(hills(1).convert("CMYK"), "JPEG")


def transparent_png() -> bytes:
    image = hills(2).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(SIZE))
    return encoded(image, "PNG")


def sideways_jpeg() -> bytes:
    """160 x 120 as stored, 120 x 160 as seen, with a place in its EXIF."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (55.0, 45.0, 7.0)
    return jpeg(hills(3), exif=exif)


def sideways_heic() -> bytes:
    """The same as an iPhone stores it."""
    set_up_pillow()
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(hills(3), "HEIF", exif=exif.tobytes())


def truncated_jpeg() -> bytes:
    data = photo(4, (640, 480))
    return data[: len(data) // 2]
