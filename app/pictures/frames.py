"""Small copies of a picture while it is painted, kept for its film: one file beside the result."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image

from models.pictures.encoding import encode_jpeg
from models.pictures.sizes import fit_size

FRAME_SIDE_PX: Final = 640
MAX_FRAMES: Final = 60
"""At about 100 kB each: what a film takes on the disk stays below 6 MB, usually far below."""
MIN_FRAMES: Final = 2
"""Fewer show nothing of how a picture came about."""
JPEG_QUALITY: Final = 88


def frames_file(result: Path) -> Path:
    """Where the frames of a result lie, if it has any."""
    return result.with_suffix(".frames.zip")


def encode_frame(picture: Image.Image) -> bytes:
    """Blocking: a JPEG of at most `FRAME_SIDE_PX`."""
    if max(picture.size) > FRAME_SIDE_PX:
        size = fit_size(picture.size, FRAME_SIDE_PX)
        picture = picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    return encode_jpeg(picture, quality=JPEG_QUALITY)


def write_frames(frames: Sequence[bytes], path: Path) -> None:
    """Blocking: write the frames, in their order. Raises OSError, and then there is no file."""
    draft = path.with_name(path.name + ".part")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as archive:
            for number, frame in enumerate(frames):
                archive.writestr(f"{number:03}.jpg", frame)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def read_frames(path: Path) -> list[bytes]:
    """Blocking: the frames, in their order. Raises OSError or `zipfile.BadZipFile`."""
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in sorted(archive.namelist())]


def decode_frame(frame: bytes) -> Image.Image:
    """Blocking. Raises OSError for what is no picture."""
    with Image.open(io.BytesIO(frame), formats=("JPEG",)) as opened:
        return opened.convert("RGB")
