"""Picture files in and out: checked before they are decoded, upright, RGB, without metadata.

Imports no torch, so that the chat side can look at a picture as it arrives.
"""

from __future__ import annotations

import contextlib
import enum
import io
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

from models.jpeg_scans import count_scans

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
"""What is decoded; a GIF only if it stands still. MPO, what some phones write, opens as JPEG."""

MAX_PIXELS = 64_000_000
"""Above the 50 MP of today's phones (8192 x 6144); about 200 MB once decoded."""
MIN_SIDE_PX = 16
MAX_RATIO = 20
MAX_SCANNED_PIXELS = 1_000_000_000
"""Pixels of a JPEG times its scans, each of which goes over all of them: two seconds and more. The
largest picture may have 15 scans, an ordinary progressive one has 6 to 10."""
JPEG_QUALITY = 92
_STRIP_PIXELS = 1_000_000

_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    ArithmeticError,
    struct.error,
)
"""What Pillow's decoders really raise for broken bytes."""
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)


class PictureProblem(enum.StrEnum):
    """Why a file can't be used as a picture."""

    MISSING = "missing"
    NOT_A_PICTURE = "not_a_picture"
    DAMAGED = "damaged"
    ANIMATED = "animated"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_SCANS = "too_many_scans"
    TOO_SMALL = "too_small"
    TOO_LONG = "too_long"


_SENTENCES = {
    PictureProblem.MISSING: "There is no file that I can read; please check its name.",
    PictureProblem.NOT_A_PICTURE: (
        "This is not a picture that I can read; please send a JPEG, PNG or WEBP."
    ),
    PictureProblem.DAMAGED: "The picture is damaged or not complete; please send it once more.",
    PictureProblem.ANIMATED: "The picture moves; please send a still one, such as a screenshot.",
    PictureProblem.TOO_MANY_PIXELS: (
        "The picture is too large; "
        f"please send one of at most {MAX_PIXELS // 1_000_000} megapixels."
    ),
    PictureProblem.TOO_MANY_SCANS: (
        "The picture is stored in so many passes that it would take too long to read; "
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


class PictureError(Exception):
    """A picture that can't be used; `str()` is one English sentence that says what to send."""

    def __init__(self, problem: PictureProblem) -> None:
        super().__init__(_SENTENCES[problem])
        self.problem = problem


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What a file's header says, as the picture will be seen (upright)."""

    width_px: int
    height_px: int
    format: str


def inspect(path: Path) -> PictureFacts:
    """Check a file by its headers alone; quick and safe for whatever a stranger sends.

    Raises PictureError. A file cut off in the middle passes: only `open_picture` notices.
    """
    with _open(path) as image:
        width, height = image.size
        if _orientation(image) >= 5:
            width, height = height, width
        return PictureFacts(width, height, image.format or "")


def open_picture(path: Path, *, long_side_px: int | None = None) -> Image.Image:
    """Decode a file to an upright sRGB picture that carries no metadata.

    Transparency is laid over white. With `long_side_px` a larger picture is reduced to it, which
    saves most of the memory and time of a large JPEG; a smaller one stays as it is.
    Raises PictureError.
    """
    with _open(path) as image:
        try:
            if long_side_px is not None:
                image.draft(None, fit_size(image.size, long_side_px))
            image.load()
        except MemoryError:
            raise PictureError(PictureProblem.TOO_MANY_PIXELS) from None
        except _DAMAGE:
            raise PictureError(PictureProblem.DAMAGED) from None
        profile = image.info.get("icc_profile")
        picture = _upright(_plain_and_small(image, long_side_px))
    if long_side_px is not None and max(picture.size) > long_side_px:
        size = fit_size(picture.size, long_side_px)
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    picture = _to_srgb(picture, profile)
    picture.info.clear()
    return picture


def fit_size(size: tuple[int, int], long_side_px: int) -> tuple[int, int]:
    """The (width, height) of the same shape whose long side is `long_side_px`."""
    scale = long_side_px / max(size)
    width, height = (max(1, round(side * scale)) for side in size)
    return width, height


def encode_jpeg(
    picture: Image.Image, *, quality: int = JPEG_QUALITY, dpi: int | None = None
) -> bytes:
    """JPEG bytes without any metadata but `dpi`, how many pixels go on an inch of paper."""
    buffer = io.BytesIO()
    # Not optimised: that is done in one piece, which stops all other threads for as long, and fails
    # where noise takes more than a byte a pixel.
    density = {} if dpi is None else {"dpi": (dpi, dpi)}
    _bare(picture).save(buffer, "JPEG", quality=quality, subsampling=0, **density)
    return buffer.getvalue()


def encode_png(picture: Image.Image) -> bytes:
    """PNG bytes without any metadata."""
    buffer = io.BytesIO()
    _bare(picture).save(buffer, "PNG")
    return buffer.getvalue()


def save_picture(picture: Image.Image, path: Path) -> None:
    """Write a PNG if the name ends in .png, else a JPEG; without any metadata."""
    encode = encode_png if path.suffix.lower() == ".png" else encode_jpeg
    path.write_bytes(encode(picture))


def _open(path: Path) -> Image.Image:
    """Open lazily and check what the header promises, before anything is decoded."""
    try:
        image = Image.open(path, formats=FORMATS)
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise PictureError(PictureProblem.MISSING) from None
    except _BOMBS:
        raise PictureError(PictureProblem.TOO_MANY_PIXELS) from None
    except _DAMAGE:  # UnidentifiedImageError is an OSError
        raise PictureError(PictureProblem.NOT_A_PICTURE) from None
    problem = _header_problem(image) or _work_problem(image, path)
    if problem is not None:
        image.close()
        raise PictureError(problem)
    return image


def _header_problem(image: Image.Image) -> PictureProblem | None:
    short, long = sorted(image.size)
    if short * long > MAX_PIXELS:
        return PictureProblem.TOO_MANY_PIXELS
    if short < MIN_SIDE_PX:
        return PictureProblem.TOO_SMALL
    if long > MAX_RATIO * short:
        return PictureProblem.TOO_LONG
    # The further frames of an MPO are the same shot again: a preview or a second lens.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        return PictureProblem.ANIMATED
    return None


def _work_problem(image: Image.Image, path: Path) -> PictureProblem | None:
    """A file of 200 kB may keep a decoder busy for a minute: its size says nothing about that."""
    if image.format not in {"JPEG", "MPO"}:
        return None
    scanned = image.width * image.height * count_scans(path)
    return PictureProblem.TOO_MANY_SCANS if scanned > MAX_SCANNED_PIXELS else None


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except _DAMAGE:
        return 1


def _upright(image: Image.Image) -> Image.Image:
    # In place: it would copy a picture that is upright already.
    with contextlib.suppress(*_DAMAGE):  # a broken EXIF block is no reason to refuse the picture
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _plain_and_small(image: Image.Image, long_side_px: int | None) -> Image.Image:
    """`_plain_mode`, of a large picture strip by strip and reduced by the way.

    What comes back is at least three times as large as `long_side_px`, for a better filter to go
    on with. So the largest picture takes 4 bytes a pixel while it is decoded, a quarter of a
    gigabyte, and never more than twice that.
    """
    factor = 1 if long_side_px is None else max(1, max(image.size) // (3 * long_side_px))
    if image.mode in {"L", "RGB", "CMYK"} or image.width * image.height <= _STRIP_PIXELS:
        return _plain_mode(image)
    width, height = image.size
    rows = factor * max(1, _STRIP_PIXELS // (width * factor))
    small = None
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        plain = _plain_mode(strip).reduce(factor)
        if small is None:
            small = Image.new(plain.mode, (plain.width, -(-height // factor)))
            small.info = dict(image.info)
        small.paste(plain, (0, top // factor))
    assert small is not None  # noqa: S101 - no picture is without rows
    return small


def _plain_mode(image: Image.Image) -> Image.Image:
    """To L, RGB or CMYK of 8 bits, the modes that a colour profile can be applied to."""
    if image.mode.startswith("I"):
        return _eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image)
        flat = white.convert("RGB")
        flat.info = image.info
        return flat
    return image if image.mode in {"L", "RGB", "CMYK"} else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey scaled to 8 bits; Pillow's own conversion clips nearly all of it to white."""
    values = np.asarray(image, dtype=np.float32) / 257.0
    grey = Image.fromarray(values.clip(0, 255).round().astype(np.uint8))
    grey.info = image.info
    return grey


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
        except (ImageCms.PyCMSError, *_DAMAGE):
            converted = None  # a broken or foreign profile: the plain values are a good guess
        if converted is not None:
            return converted
    return image.convert("RGB")


def _bare(picture: Image.Image) -> Image.Image:
    """A copy without EXIF, GPS, comments and profiles: some writers take them from `info`."""
    bare = picture.convert("RGB") if picture.mode != "RGB" else picture.copy()
    bare.info.clear()
    return bare
