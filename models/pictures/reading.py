"""Reading pictures: checked before they are decoded, upright, RGB, without metadata."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from models.pictures.colours import (
    PROFILED_MODES,
    brightness_level,
    to_profiled_mode,
    to_srgb,
)
from models.pictures.formats import is_jpeg
from models.pictures.headers import (
    inspect,
    open_checked,
    orientation_of,
)
from models.pictures.problems import (
    DAMAGE,
    PictureError,
    PictureProblem,
)
from models.pictures.sizes import drafted_size, reduced_size

KEPT_QUALITY = 95
"""Of a JPEG that is painted from: its loss can't be seen, also after a photo's own."""
_STRIP_PIXELS = 1_000_000
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


def _decoded(path: Path, long_side_px: int | None) -> tuple[Image.Image, int, bytes | None]:
    """A picture of at most `long_side_px`, its EXIF orientation and its colour profile."""
    with open_checked(path) as image:
        orientation = orientation_of(image)
        profile = image.info.get("icc_profile")
        try:
            if is_jpeg(image):
                image.draft(None, drafted_size(image.size, long_side_px))
            image.load()
            size = reduced_size(image.size, long_side_px)
            picture = _profiled_and_narrow(image, size[0])
        except MemoryError:
            raise PictureError(PictureProblem.TOO_MUCH_WORK) from None
        except DAMAGE:
            raise PictureError(PictureProblem.DAMAGED) from None
    del image  # it takes more memory than all that follows
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return picture, orientation, profile


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
