"""What picture files are decoded, what each takes in memory, and what the others are."""

from __future__ import annotations

import enum
import functools
import re
from pathlib import Path

import pillow_heif
from PIL import Image, TiffImagePlugin

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "JPEG2000", "GIF", "BMP")
"""What is decoded. MPO, what some phones write, opens as JPEG. AVIF is asked before HEIF: both
answer to the brand `mif1`, and only one of them says no to the other's pictures."""

LOSSLESS_FORMATS = {"PNG", "TIFF", "GIF", "BMP"}

_ONE_OF_MANY = {"MPO", "HEIF", "TIFF"}
"""Formats in which further pictures are previews, other lenses or pages: the first is meant."""

BYTES_PER_PIXEL = {
    "PNG": 4,
    "GIF": 5,
    "BMP": 4,
    "TIFF": 8,
    "HEIF": 11,
    "AVIF": 16,
    "WEBP": 16,
    "JPEG2000": 24,
}
"""What a decoder takes at most for a moment, its own copies included, as measured."""
_OF_A_JPEG = 4
_OF_COEFFICIENTS = 6
"""A JPEG in several scans is kept as numbers of two bytes until the last scan is there."""

_TIFF_SUBFILE_TYPE, _TIFF_SUB_IFDS, _TIFF_PHOTOMETRIC, _TIFF_DNG_VERSION = 254, 330, 262, 50706
_COLOR_FILTER_ARRAY, _LINEAR_RAW = 32803, 34892
_HEAD_BYTES = 1024


class ForeignKind(enum.StrEnum):
    """Files that people take for pictures, and that can't be decoded here."""

    DRAWING = "drawing"
    """SVG, PDF, PostScript: instructions for drawing, with no pixels of their own."""
    LAYERS = "layers"
    """The working file of a paint program."""
    RAW = "raw"
    """What a camera's sensor saw."""
    VIDEO = "video"


_RAW_HEADS = re.compile(
    rb"II\*\0.{4}CR|FUJIFILMCCD-RAW|IIRO|IIRS|IIU\0|\0MRM|FOVb|....ftypcrx ", re.DOTALL
)
_LAYERS_HEADS = re.compile(
    rb"8BPS|gimp xcf|KRITA|PK\x03\x04.{26}mimetypeimage/openraster", re.DOTALL
)
_DRAWING_HEADS = re.compile(
    rb"%PDF-|%!PS|\xc5\xd0\xd3\xc6|(\xef\xbb\xbf)?\s*(<[?!].*)?<svg\b", re.DOTALL
)
_VIDEO_HEADS = re.compile(
    rb"....ftyp(isom|iso[2-9]|mp4|avc1|qt  |M4V|3gp|dash)|\x1aE\xdf\xa3|RIFF....AVI |FLV\x01",
    re.DOTALL,
)
_OPENED_HEADS = re.compile(
    rb"\xff\xd8\xff|\x89PNG|GIF8|RIFF....WEBP|....ftyp(avi[fs]|he[iv].|mif1|msf1)", re.DOTALL
)
"""Not of those formats of which many kinds are none of ours: TIFF, JPEG 2000."""
_SEQUENCE_HEADS = re.compile(rb"....ftyp(msf1|hev[cmsx]|avis)", re.DOTALL)
"""Bursts and live pictures: some have a still picture beside the moving one, some have none."""
_HEADS = {
    ForeignKind.RAW: _RAW_HEADS,
    ForeignKind.LAYERS: _LAYERS_HEADS,
    ForeignKind.DRAWING: _DRAWING_HEADS,
    ForeignKind.VIDEO: _VIDEO_HEADS,
}


@functools.cache
def set_up_pillow() -> None:
    """Once, and only where pictures are opened: HEIC and HEIF, and no guard but our own."""
    # Without thumbnails: Pillow would take one for the picture where it is large enough.
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    # Pillow's guard warns in the log and refuses a JPEG whatever it is reduced to.
    Image.MAX_IMAGE_PIXELS = None


def read_head(path: Path) -> bytes:
    """As much of a file as says what it is. Raises OSError."""
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def foreign_kind(head: bytes) -> ForeignKind | None:
    """What a file is that must not or can't be opened."""
    return next((kind for kind, heads in _HEADS.items() if heads.match(head)), None)


def is_cut_off(head: bytes) -> bool:
    """Whether a file that can't be opened begins as one that can, so that its end is missing."""
    return _OPENED_HEADS.match(head) is not None


def is_sequence(head: bytes) -> bool:
    """Whether a file that can't be opened holds nothing but moving pictures."""
    return _SEQUENCE_HEADS.match(head) is not None


def webp_pixels(head: bytes) -> int:
    """How many pixels a WEBP has, by its head; 0 of any other file."""
    if not (head[:4] == b"RIFF" and head[8:12] == b"WEBP" and len(head) >= 30):
        return 0
    match head[12:16]:
        case b"VP8X":
            width, height = head[24:27], head[27:30]
            return (int.from_bytes(width, "little") + 1) * (int.from_bytes(height, "little") + 1)
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            return ((bits & 0x3FFF) + 1) * ((bits >> 14 & 0x3FFF) + 1)
        case _:
            width, height = head[26:28], head[28:30]
            return (int.from_bytes(width, "little") & 0x3FFF) * (
                int.from_bytes(height, "little") & 0x3FFF
            )


def is_raw(image: Image.Image) -> bool:
    """Whether an opened TIFF is a camera's raw file, whose first picture is a thumbnail."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return False
    tags = image.tag_v2
    is_preview = bool(_number(tags.get(_TIFF_SUBFILE_TYPE)) & 1) and _TIFF_SUB_IFDS in tags
    is_sensor = _number(tags.get(_TIFF_PHOTOMETRIC)) in {_COLOR_FILTER_ARRAY, _LINEAR_RAW}
    return _TIFF_DNG_VERSION in tags or is_preview or is_sensor


def is_moving(image: Image.Image) -> bool:
    """Whether there are further frames that belong to the picture."""
    return image.format not in _ONE_OF_MANY and bool(getattr(image, "is_animated", False))


def is_jpeg(image: Image.Image) -> bool:
    """Whether it can be reduced while it is decoded."""
    return image.format in {"JPEG", "MPO"}


def jpeg_bytes(size: tuple[int, int], reduced: tuple[int, int], scans: int) -> int:
    """What decoding a JPEG to `reduced` takes of memory."""
    coefficients = _OF_COEFFICIENTS * size[0] * size[1] if scans > 1 else 0
    return _OF_A_JPEG * reduced[0] * reduced[1] + coefficients


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
