"""Picture files in and out: checked before they are decoded, upright, RGB, without metadata.

Imports no torch, so that the chat side can look at a picture as it arrives.
"""

from __future__ import annotations

import enum
import io
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from models.jpeg_scans import count_scans
from models.picture_colours import (
    PROFILED_MODES,
    brightness_level,
    to_profiled_mode,
    to_srgb,
)
from models.picture_formats import (
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

MAX_PIXELS = 64_000_000
"""Above the 50 MP of most phones (8192 x 6144). Fewer where a format takes more memory than
`MAX_DECODE_BYTES` for so many."""
MAX_JPEG_PIXELS = 205_000_000
"""Of a JPEG in one scan, which is reduced while it is decoded: a phone's 200 MP (16384 x 12288)."""
MAX_DECODE_BYTES = 600_000_000
"""What decoding one picture may take of memory for a moment, by `models.picture_formats`."""
MIN_SIDE_PX = 16
MAX_RATIO = 20
MAX_SCANNED_PIXELS = 1_000_000_000
"""Pixels of a JPEG times its scans, each of which goes over all of them: two seconds and more. The
largest progressive one may have 15 scans, an ordinary one has 6 to 10."""
JPEG_QUALITY = 92
KEPT_QUALITY = 95
"""Of a JPEG that is painted from: its loss can't be seen, also after a photo's own."""
_STRIP_PIXELS = 1_000_000

_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    ArithmeticError,
    RuntimeError,
    AssertionError,
    AttributeError,
    struct.error,
)
"""What Pillow's decoders really raise for broken bytes."""


class PictureProblem(enum.StrEnum):
    """Why a file can't be used as a picture."""

    MISSING = "missing"
    NOT_A_PICTURE = "not_a_picture"
    DRAWING = "drawing"
    LAYERS = "layers"
    RAW = "raw"
    VIDEO = "video"
    DAMAGED = "damaged"
    ANIMATED = "animated"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MUCH_WORK = "too_much_work"
    TOO_SMALL = "too_small"
    TOO_LONG = "too_long"


_SENTENCES = {
    PictureProblem.MISSING: "There is no file that I can read; please check its name.",
    PictureProblem.NOT_A_PICTURE: (
        "This is not a picture that I can read; please send a JPEG, PNG or WEBP."
    ),
    PictureProblem.DRAWING: (
        "This is a drawing or a document, not a picture; please save it as a PNG."
    ),
    PictureProblem.LAYERS: (
        "This is the working file of a paint program; please save it as a JPEG or PNG."
    ),
    PictureProblem.RAW: "This is a camera's raw file; please save it as a JPEG.",
    PictureProblem.VIDEO: "This is a video; please send a still picture, such as a screenshot.",
    PictureProblem.DAMAGED: "The picture is damaged or not complete; please send it once more.",
    PictureProblem.ANIMATED: "The picture moves; please send a still one, such as a screenshot.",
    PictureProblem.TOO_MANY_PIXELS: (
        "The picture is too large; please send one of at most {limit} megapixels, "
        f"or an ordinary JPEG of at most {MAX_JPEG_PIXELS // 1_000_000}."
    ),
    PictureProblem.TOO_MUCH_WORK: (
        "The picture is stored in a way that takes too long to read; "
        "please save it as an ordinary JPEG."
    ),
    PictureProblem.TOO_SMALL: (
        "The picture is too small; "
        f"please send one of at least {MIN_SIDE_PX} x {MIN_SIDE_PX} pixels."
    ),
    PictureProblem.TOO_LONG: (
        "The picture is too long and narrow; please crop it so that its long side is "
        f"at most {MAX_RATIO} times the short one."
    ),
}
_FOREIGN = {
    ForeignKind.DRAWING: PictureProblem.DRAWING,
    ForeignKind.LAYERS: PictureProblem.LAYERS,
    ForeignKind.RAW: PictureProblem.RAW,
    ForeignKind.VIDEO: PictureProblem.VIDEO,
}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF orientation: what makes it upright."""


class PictureError(Exception):
    """A picture that can't be used; `str()` is one English sentence that says what to send."""

    def __init__(self, problem: PictureProblem, *, max_pixels: int = MAX_PIXELS) -> None:
        self.problem = problem
        self.max_pixels = max_pixels
        """Of this format; for TOO_MANY_PIXELS."""
        super().__init__(_SENTENCES[problem].format(limit=max_pixels // 1_000_000))

    def __reduce__(self) -> tuple[Callable[..., PictureError], tuple[PictureProblem, int]]:
        """To be pickled: Python's own way knows the sentence alone."""
        return _picture_error, (self.problem, self.max_pixels)


def _picture_error(problem: PictureProblem, max_pixels: int) -> PictureError:
    return PictureError(problem, max_pixels=max_pixels)


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
    with _open(path) as image:
        width, height = image.size
        if _orientation(image) >= 5:
            width, height = height, width
        work_bytes = _work_bytes(image, path, long_side_px)
        return PictureFacts(width, height, image.format or "", work_bytes)


def open_picture(path: Path, *, long_side_px: int | None = None) -> Image.Image:
    """Decode a file to an upright sRGB picture that carries no metadata.

    Transparency is laid over white. With `long_side_px` a larger picture is reduced to it, which
    saves most of the memory and time of a large JPEG; a smaller one stays as it is. A JPEG of more
    than `MAX_PIXELS` is always reduced. Raises PictureError.
    """
    picture, orientation, profile = _decoded(path, long_side_px)
    if orientation in _TURNS:  # now that it is small: a large picture would be there twice
        picture = picture.transpose(_TURNS[orientation])
    picture = to_srgb(picture, profile)
    picture.info.clear()
    return picture


def prepare_picture(source: Path, target: Path, *, long_side_px: int) -> None:
    """Write what `open_picture` makes of a file anew: nothing of a stranger's bytes is left.

    `target` becomes a PNG if the source has no loss, else a JPEG. Raises PictureError, OSError.
    """
    is_lossless = inspect(source).is_lossless
    picture = open_picture(source, long_side_px=long_side_px)
    if is_lossless:
        picture.save(target, "PNG", compress_level=1)  # more takes longer, and gains nothing
    else:
        picture.save(target, "JPEG", quality=KEPT_QUALITY, subsampling=0)


def fit_size(size: tuple[int, int], long_side_px: float) -> tuple[int, int]:
    """The size of the same shape whose long side is `long_side_px`."""
    scale = long_side_px / max(size)
    width, height = (max(1, round(side * scale)) for side in size)
    return width, height


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


def _decoded(path: Path, long_side_px: int | None) -> tuple[Image.Image, int, bytes | None]:
    """A picture of at most `long_side_px`, its EXIF orientation and its colour profile."""
    with _open(path) as image:
        orientation = _orientation(image)
        profile = image.info.get("icc_profile")
        try:
            if is_jpeg(image):
                image.draft(None, _drafted_size(image.size, long_side_px))
            image.load()
            size = _reduced_size(image.size, long_side_px)
            picture = _profiled_and_narrow(image, size[0])
        except MemoryError:
            raise PictureError(PictureProblem.TOO_MUCH_WORK) from None
        except _DAMAGE:
            raise PictureError(PictureProblem.DAMAGED) from None
    del image  # it takes more memory than all that follows
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return picture, orientation, profile


def _open(path: Path) -> Image.Image:
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
    except _DAMAGE:  # UnidentifiedImageError is an OSError
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
    except _DAMAGE:
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
        reduction = _reduction(image.size, _drafted_size(image.size, long_side_px))
        decoded = image.width // reduction, image.height // reduction
        decode_bytes = jpeg_bytes(image.size, decoded, count_scans(path))
    else:
        decode_bytes = BYTES_PER_PIXEL[image.format or ""] * image.width * image.height
    width, height = _reduced_size(decoded, long_side_px)
    return decode_bytes + 4 * width * (decoded[1] + height)


def _reduced_size(size: tuple[int, int], long_side_px: int | None) -> tuple[int, int]:
    is_larger = long_side_px is not None and max(size) > long_side_px
    return fit_size(size, long_side_px) if is_larger and long_side_px else size


def _drafted_size(size: tuple[int, int], long_side_px: int | None) -> tuple[int, int]:
    """The least (width, height) that a JPEG has to be decoded to."""
    width, height = size if long_side_px is None else fit_size(size, long_side_px)
    least = math.isqrt(size[0] * size[1] // MAX_PIXELS) + 1 if _is_over(size) else 1
    return min(width, size[0] // least), min(height, size[1] // least)


def _is_over(size: tuple[int, int]) -> bool:
    return size[0] * size[1] > MAX_PIXELS


def _reduction(size: tuple[int, int], least: tuple[int, int]) -> int:
    """What libjpeg divides both sides by to come near `least`, and not below."""
    factor = min(size[0] // max(1, least[0]), size[1] // max(1, least[1]))
    return next((power for power in (8, 4, 2) if factor >= power), 1)


def _orientation(image: Image.Image) -> int:
    """By EXIF; of a TIFF, which Pillow turns by itself, and of HEIF, as libheif does, always 1."""
    if image.format in {"TIFF", "HEIF"}:
        return 1
    try:
        return int(image.getexif().get(0x0112, 1))
    except _DAMAGE:  # a broken EXIF block is no reason to refuse the picture
        return 1


def _profiled_and_narrow(image: Image.Image, width: int) -> Image.Image:
    """`to_profiled_mode`; of a large picture strip by strip, each resized to `width` at once.

    A filter goes over rows first and then over columns, so nothing is lost by that, and the
    largest picture is never there twice.
    """
    is_plain = image.mode in PROFILED_MODES and not image.has_transparency_data
    if is_plain or image.width * image.height <= _STRIP_PIXELS:
        return to_profiled_mode(image)
    level = brightness_level(image)
    rows = max(1, _STRIP_PIXELS // image.width)
    narrow = None
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        strip = to_profiled_mode(image.crop((0, top, image.width, bottom)), level=level)
        if strip.width != width:
            strip = strip.resize((width, strip.height), Image.Resampling.LANCZOS)
        if narrow is None:
            narrow = Image.new(strip.mode, (width, image.height))
        narrow.paste(strip, (0, top))
    assert narrow is not None  # noqa: S101 - no picture is without rows
    return narrow
