"""What may be wrong with a picture file, and how that is said."""

from __future__ import annotations

import enum
import struct
from collections.abc import Callable

MAX_PIXELS = 64_000_000
"""Above the 50 MP of most phones (8192 x 6144). Fewer where a format takes more memory than
`MAX_DECODE_BYTES` for so many."""
MAX_JPEG_PIXELS = 205_000_000
"""Of a JPEG in one scan, which is reduced while it is decoded: a phone's 200 MP (16384 x 12288)."""
MIN_SIDE_PX = 16
MAX_RATIO = 20

DAMAGE = (
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
