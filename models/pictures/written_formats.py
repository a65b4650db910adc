"""The formats that pictures are written in: which one a file's name asks for, and its bytes.

Imports no torch.
"""

from __future__ import annotations

import enum
import functools
import io
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image, ImageCms

from models.pictures.encoding import bare_picture, encode_jpeg, encode_png


class PictureFormat(enum.StrEnum):
    """A format to write in."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    TIFF = "tiff"
    AVIF = "avif"


SUFFIXES: Mapping[str, PictureFormat] = {
    ".jpg": PictureFormat.JPEG,
    ".jpeg": PictureFormat.JPEG,
    ".png": PictureFormat.PNG,
    ".webp": PictureFormat.WEBP,
    ".tif": PictureFormat.TIFF,
    ".tiff": PictureFormat.TIFF,
    ".avif": PictureFormat.AVIF,
}
"""Of file names; the first of a format is the one to give it."""

_LOSSLESS = {PictureFormat.PNG, PictureFormat.TIFF}
_PROFILE_DATE = slice(24, 36)
"""Of the header of an ICC profile: when it was made, six 16-bit numbers (ICC.1:2022, 7.2.10)."""


class UnknownFormatError(ValueError):
    """No picture is written under such a name; the message is one English sentence."""

    def __init__(self) -> None:
        *names, last = SUFFIXES
        super().__init__(f"the name of a picture must end in {', '.join(names)} or {last}")


def format_of(path: Path) -> PictureFormat:
    """The format that a file name asks for. Raises UnknownFormatError."""
    try:
        return SUFFIXES[path.suffix.lower()]
    except KeyError:
        raise UnknownFormatError from None


def suffix_of(form: PictureFormat) -> str:
    """What the name of a file in this format ends in."""
    return next(suffix for suffix, other in SUFFIXES.items() if other is form)


def encode_picture(picture: Image.Image, form: PictureFormat) -> bytes:
    """The bytes of a file that says its colours are sRGB, and nothing else beside its pixels."""
    return _ENCODERS[form](picture)


def bytes_at_most(form: PictureFormat, pixels: int) -> int:
    """What a painting of so many pixels takes, or less; only pure noise takes more."""
    return pixels * (3 if form in _LOSSLESS else 1) + 10_000


def save_picture(picture: Image.Image, path: Path) -> None:
    """Write a file in the format of its name. Raises UnknownFormatError, OSError."""
    path.write_bytes(encode_picture(picture, format_of(path)))


@functools.cache
def _srgb() -> bytes:
    """The ICC profile; always the same bytes, so that the same painting is the same file."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_PROFILE_DATE] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    return bytes(profile)


def _jpeg(picture: Image.Image) -> bytes:
    return encode_jpeg(picture, icc_profile=_srgb())


def _png(picture: Image.Image) -> bytes:
    return encode_png(picture, icc_profile=_srgb())


def _webp(picture: Image.Image) -> bytes:
    return _encoded(picture, "WEBP", quality=92)


def _tiff(picture: Image.Image) -> bytes:
    return _encoded(picture, "TIFF", compression="tiff_adobe_deflate")


def _avif(picture: Image.Image) -> bytes:
    return _encoded(picture, "AVIF", quality=85, subsampling="4:4:4")


def _encoded(picture: Image.Image, pillow_format: str, **how: object) -> bytes:
    buffer = io.BytesIO()
    bare_picture(picture).save(buffer, pillow_format, icc_profile=_srgb(), **how)
    return buffer.getvalue()


_ENCODERS: Mapping[PictureFormat, Callable[[Image.Image], bytes]] = {
    PictureFormat.JPEG: _jpeg,
    PictureFormat.PNG: _png,
    PictureFormat.WEBP: _webp,
    PictureFormat.TIFF: _tiff,
    PictureFormat.AVIF: _avif,
}
