"""Writes finished pictures to the disk; blocking, to be called off the event loop."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from app.jobs.model import Delivery, Job, JobRequest
from app.storage.folders import flush_folder, write_whole
from models.pictures import encode_jpeg, encode_png

MAX_PNG_BYTES = 45_000_000
"""A larger file is written as a JPEG: a bot may send 50 MB."""
_PNG_BYTES_PER_PIXEL, _JPEG_BYTES_PER_PIXEL = 3.0, 1.5
"""Of a painting that is all strokes and nowhere calm."""


def save_result(picture: Image.Image, job: Job, folder: Path) -> Path:
    """Write what the job's owner will get: a PNG if it goes as a file, else a JPEG.

    It is complete on the disk, or not there at all, whenever the power fails. Raises OSError.
    """
    if job.request.delivery is Delivery.FILE:
        encoded = encode_png(picture)
        if len(encoded) <= MAX_PNG_BYTES:
            return _write_durably(encoded, folder / f"{job.id}.png")
    return _write_durably(encode_jpeg(picture), folder / f"{job.id}.jpg")


def expected_bytes(request: JobRequest) -> int:
    """What the result takes on the disk, at most: that of a square picture."""
    pixels = request.options.size_px**2
    png_bytes = _PNG_BYTES_PER_PIXEL * pixels
    if request.delivery is Delivery.FILE and png_bytes <= MAX_PNG_BYTES:
        return round(png_bytes)
    return round(_JPEG_BYTES_PER_PIXEL * pixels)


def possible_results(job: Job, folder: Path) -> list[Path]:
    """Every file that `save_result` may have left of a job, half-written ones too."""
    results = [folder / f"{job.id}{suffix}" for suffix in (".jpg", ".png")]
    return [*results, *map(_part_of, results)]


def _part_of(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _write_durably(data: bytes, path: Path) -> Path:
    # Under a name that is known: the process may be killed before it is renamed.
    write_whole(data, path, part=_part_of(path))
    flush_folder(path.parent)
    return path
