"""What a picture file's header promises, checked before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from models.pictures.formats import (
    BYTES_PER_PIXEL,
    FORMATS,
    LOSSLESS_FORMATS,
    ForeignKind,
    foreign_kind,
    is_cut_off,
    is_jpeg,
    is_moving,
    is_raw,
    is_sequence,
    jpeg_bytes,
    read_head,
    set_up_pillow,
    webp_pixels,
)
from models.pictures.jpeg_scans import count_scans
from models.pictures.problems import (
    DAMAGE,
    MAX_JPEG_PIXELS,
    MAX_PIXELS,
    MAX_RATIO,
    MIN_SIDE_PX,
    PictureError,
    PictureProblem,
)
from models.pictures.sizes import drafted_size, jpeg_reduction, reduced_size

MAX_DECODE_BYTES = 600_000_000
"""What decoding one picture may take of memory for a moment, by `models.pictures.formats`."""
MAX_SCANNED_PIXELS = 1_000_000_000
"""Pixels of a JPEG times its scans, each of which goes over all of them: two seconds and more. The
largest progressive one may have 15 scans, an ordinary one has 6 to 10."""
_FOREIGN = {
    ForeignKind.DRAWING: PictureProblem.DRAWING,
    ForeignKind.LAYERS: PictureProblem.LAYERS,
    ForeignKind.RAW: PictureProblem.RAW,
    ForeignKind.VIDEO: PictureProblem.VIDEO,
}


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What a file's header says, as the picture will be seen (upright)."""

    width_px: int
    height_px: int
    format: str
    work_bytes: int
    """What it takes of memory to decode it, and to reduce it to the long side that was said."""

    @property
    def is_lossless(self) -> bool:
        """Whether the format keeps every pixel as it was."""
        return self.format in LOSSLESS_FORMATS


def has_picture_name(path: Path) -> bool:
    """Whether the file's name, and nothing else, speaks for a picture that is decoded here."""
    set_up_pillow()
    return Image.registered_extensions().get(path.suffix.lower()) in {*FORMATS, "MPO"}


def inspect(path: Path, *, long_side_px: int | None = None) -> PictureFacts:
    """Check a file by its headers alone; quick for whatever a stranger sends.

    Raises PictureError. A file cut off in the middle passes: only `open_picture` notices.
    """
    with open_checked(path) as image:
        width, height = image.size
        if orientation_of(image) >= 5:
            width, height = height, width
        work_bytes = _work_bytes(image, path, long_side_px)
        return PictureFacts(width, height, image.format or "", work_bytes)


def open_checked(path: Path) -> Image.Image:
    """Open lazily and check what the header promises, before anything is decoded."""
    set_up_pillow()
    head = b""
    try:
        head = read_head(path)
        if (kind := foreign_kind(head)) is not None:
            raise PictureError(_FOREIGN[kind])
        if webp_pixels(head) > max_pixels_of("WEBP"):  # to open one takes 8 bytes a pixel
            raise PictureError(PictureProblem.TOO_MANY_PIXELS, max_pixels=max_pixels_of("WEBP"))
        image = Image.open(path, formats=FORMATS)
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise PictureError(PictureProblem.MISSING) from None
    except MemoryError:
        raise PictureError(PictureProblem.TOO_MUCH_WORK) from None
    except DAMAGE:  # UnidentifiedImageError is an OSError
        raise PictureError(_why_unopened(head)) from None
    try:
        _check(image, path)
    except PictureError:
        image.close()
        raise
    return image


def _why_unopened(head: bytes) -> PictureProblem:
    if is_sequence(head):
        return PictureProblem.ANIMATED
    return PictureProblem.DAMAGED if is_cut_off(head) else PictureProblem.NOT_A_PICTURE


def _check(image: Image.Image, path: Path) -> None:
    """Raises PictureError."""
    try:
        problem = _header_problem(image)
    except DAMAGE:
        problem = PictureProblem.DAMAGED
    if problem is not None:
        raise PictureError(problem)
    max_pixels = _max_pixels(image, path)
    if image.width * image.height > max_pixels:
        raise PictureError(PictureProblem.TOO_MANY_PIXELS, max_pixels=min(max_pixels, MAX_PIXELS))
    scanned = image.width * image.height * count_scans(path) if is_jpeg(image) else 0
    if scanned > MAX_SCANNED_PIXELS:
        # A file of 200 kB may keep a decoder busy for a minute: its size says nothing about that.
        raise PictureError(PictureProblem.TOO_MUCH_WORK)


def _header_problem(image: Image.Image) -> PictureProblem | None:
    short, long = sorted(image.size)
    if short < MIN_SIDE_PX:
        return PictureProblem.TOO_SMALL
    if long > MAX_RATIO * short:
        return PictureProblem.TOO_LONG
    if is_raw(image):
        return PictureProblem.RAW
    return PictureProblem.ANIMATED if is_moving(image) else None


def _max_pixels(image: Image.Image, path: Path) -> int:
    if is_jpeg(image):
        return MAX_JPEG_PIXELS if count_scans(path) <= 1 else MAX_PIXELS
    return max_pixels_of(image.format or "")


def max_pixels_of(format_name: str) -> int:
    """How many pixels a picture of a format other than JPEG may have."""
    return min(MAX_PIXELS, MAX_DECODE_BYTES // BYTES_PER_PIXEL[format_name])


def _work_bytes(image: Image.Image, path: Path, long_side_px: int | None) -> int:
    """Of the decoded picture, and of what is made of it: reduced in its width, then in both."""
    decoded = image.size
    if is_jpeg(image):
        reduction = jpeg_reduction(image.size, drafted_size(image.size, long_side_px))
        decoded = image.width // reduction, image.height // reduction
        decode_bytes = jpeg_bytes(image.size, decoded, count_scans(path))
    else:
        decode_bytes = BYTES_PER_PIXEL[image.format or ""] * image.width * image.height
    width, height = reduced_size(decoded, long_side_px)
    return decode_bytes + 4 * width * (decoded[1] + height)


def orientation_of(image: Image.Image) -> int:
    """By EXIF; of a TIFF, which Pillow turns by itself, and of HEIF, as libheif does, always 1."""
    if image.format in {"TIFF", "HEIF"}:
        return 1
    try:
        return int(image.getexif().get(0x0112, 1))
    except DAMAGE:  # a broken EXIF block is no reason to refuse the picture
        return 1
