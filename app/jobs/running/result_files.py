"""Writes finished pictures to the disk; blocking, to be called off the event loop."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from app.jobs.model import Delivery, Job, JobRequest
from app.pictures.frames import frames_file
from app.pictures.prints import SHEETS_PX, encode_for_print, size_for_print
from app.storage.folders import flush_folder
from models.files import flushed, write_atomically
from models.interface import Note
from models.pictures.encoding import encode_jpeg, encode_png

logger = logging.getLogger(__name__)

_PNG_BYTES_PER_PIXEL, _JPEG_BYTES_PER_PIXEL, _CLIP_BYTES_PER_PIXEL = 3.0, 1.5, 0.125
"""Of a painting that is all strokes and nowhere calm; of a clip's with one before it."""
_SOUND_BYTES_PER_S = 40_000


@dataclass(frozen=True, slots=True)
class SavedResult:
    """The file, and what its owner should hear about how it was made."""

    path: Path
    notes: frozenset[Note] = frozenset()


def save_result(picture: Image.Image, job: Job, folder: Path, *, max_bytes: int) -> SavedResult:
    """Write what the job's owner will get: a PNG if it goes as a file, else a JPEG.

    A print is a JPEG as large as its sheet; where that can't be made it is a file like others.
    A larger PNG than `max_bytes` is written as a JPEG, and no print is larger.
    It is complete on the disk, or not there at all, whenever the power fails. Raises OSError.
    """
    notes = frozenset[Note]()
    if job.request.print_size is not None:
        encoded, note = _print(picture, job, max_bytes)
        if encoded is not None:
            path = _write_durably(encoded, folder / f"{job.id}.jpg")
            return SavedResult(path, frozenset({note} if note else ()))
        notes = frozenset({Note.NOT_FOR_PRINT})
    if job.request.delivery is Delivery.FILE:
        encoded = encode_png(picture)
        if len(encoded) <= max_bytes:
            return SavedResult(_write_durably(encoded, folder / f"{job.id}.png"), notes)
    return SavedResult(_write_durably(encode_jpeg(picture), folder / f"{job.id}.jpg"), notes)


def clip_file(job_id: int, folder: Path) -> Path:
    """Where the painted clip of a job is written."""
    return folder / f"{job_id}.mp4"


def delete_unfinished_clips(folder: Path, job_ids: Collection[int] | None = None) -> None:
    """Blocking: what painting has left of clips; of these jobs, or of all where nobody paints."""
    for path in folder.glob(".*.mp4-*"):
        if job_ids is None or path.name[1:].partition(".")[0] in map(str, job_ids):
            shutil.rmtree(path, ignore_errors=True)


def flush_clip(path: Path) -> int:
    """Blocking: a painted clip is still there after a power cut; returns its bytes.

    Raises OSError.
    """
    flushed(path)
    flush_folder(path.parent)
    return path.stat().st_size


def delete_result(path: Path) -> None:
    """Blocking: delete a result, and the frames of its film."""
    path.unlink(missing_ok=True)
    frames_file(path).unlink(missing_ok=True)


def _print(picture: Image.Image, job: Job, max_bytes: int) -> tuple[bytes | None, Note | None]:
    """The file, and a note if it was enlarged; None where it can't be made."""
    sheet = job.request.print_size
    assert sheet is not None  # noqa: S101 - it is asked for only then
    try:
        encoded = encode_for_print(picture, sheet)
    except (MemoryError, OSError, ValueError) as error:
        logger.warning("no print", extra={"job": job.id, "error": type(error).__name__})
        return None, None
    if len(encoded) > max_bytes:
        logger.warning("a print is too large", extra={"job": job.id, "bytes": len(encoded)})
        return None, None
    is_larger = size_for_print(picture.size, sheet)[0] > picture.width
    return encoded, Note.ENLARGED if is_larger else None


def expected_bytes(request: JobRequest) -> int:
    """What the result takes on the disk, at most: that of a square picture."""
    if (clip := request.clip) is not None:
        pixels = clip.frames * request.options.size_px**2
        return round(_CLIP_BYTES_PER_PIXEL * pixels + _SOUND_BYTES_PER_S * clip.seconds)
    if request.print_size is not None:
        long, short = SHEETS_PX[request.print_size]
        return round(_JPEG_BYTES_PER_PIXEL * long * short)
    pixels = request.options.size_px**2
    is_png = request.delivery is Delivery.FILE
    return round((_PNG_BYTES_PER_PIXEL if is_png else _JPEG_BYTES_PER_PIXEL) * pixels)


def possible_results(job: Job, folder: Path) -> list[Path]:
    """Every file that painting may have left of a job, half-written ones too."""
    results = [folder / f"{job.id}{suffix}" for suffix in (".jpg", ".png")]
    whole = [*results, frames_file(results[0]), clip_file(job.id, folder)]
    return [*whole, *map(_part_of, whole)]


def _part_of(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _write_durably(data: bytes, path: Path) -> Path:
    # Under a name that is known: the process may be killed before it is renamed.
    write_atomically(path, data, part=_part_of(path))
    flush_folder(path.parent)
    return path
