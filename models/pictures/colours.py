"""Pixels of any kind to 8-bit sRGB: transparency, palettes, 16 bits, floats, colour profiles."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

PROFILED_MODES = {"L", "RGB", "CMYK", "LAB"}
"""What a colour profile can be applied to."""
_OF_16_BITS = 257.0
_OF_32_BITS = 65535.0 * 257.0


def to_profiled_mode(image: Image.Image, *, level: float | None = None) -> Image.Image:
    """To a mode of 8 bits that a colour profile can be applied to; transparency is laid over white.

    `level` is `brightness_level` of the whole picture where this is only a part of it.
    """
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(image, brightness_level(image) if level is None else level)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image)
        flat = white.convert("RGB")
        flat.info = image.info
        return flat
    return image if image.mode in PROFILED_MODES else image.convert("RGB")


def brightness_level(image: Image.Image) -> float:
    """What a value of a picture with more than 8 bits is divided by to get one of 0 to 255.

    An integer has 16 bits, or 32 if it doesn't fit. A float is a share of white, as renderers
    write it, unless it is more: then it counts from 0 to 255, or to its own largest value.
    """
    if image.mode not in {"I", "F"}:
        return _OF_16_BITS
    largest = _largest(image)
    if image.mode == "I":
        return _OF_16_BITS if largest <= 65535 else _OF_32_BITS
    if largest <= 1.0:
        return 1 / 255
    return 1.0 if largest <= 255 else largest / 255


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB in the colours that `profile` says; without one, or with a broken one, as they are."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            converted = None  # a broken or foreign profile: the plain values are a good guess
        if converted is not None:
            return converted
    return _from_lab(image) if image.mode == "LAB" else image.convert("RGB")


def _from_lab(image: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    assert converted is not None  # noqa: S101 - only in place nothing comes back
    return converted


def _largest(image: Image.Image) -> float:
    """The largest number; row by row, for a large picture must not be there twice."""
    largest = 0.0
    for top in range(image.height):
        row = np.asarray(image.crop((0, top, image.width, top + 1)))
        largest = max(largest, float(np.max(row, initial=0.0, where=np.isfinite(row))))
    return largest


def _eight_bits(image: Image.Image, level: float) -> Image.Image:
    """Scaled to 8 bits; Pillow's own conversion clips nearly all of it to white."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=np.inf, neginf=0.0) / level
    grey = Image.fromarray(values.clip(0, 255).round().astype(np.uint8))
    grey.info = image.info
    return grey
