"""What is painted comes onto the disk, and on its way to its owner."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.jobs.deliveries import DeliveryService
from app.jobs.job_log import log_job
from app.jobs.limits import JobLimits
from app.jobs.model import JobNote
from app.jobs.repository import JobRepository
from app.jobs.running.job_run import JobRun, RunOutcome
from app.jobs.running.result_files import clip_file, delete_result, flush_clip, save_result
from app.jobs.running.timings import Timings
from app.pictures.frames import frames_file
from app.storage.disk_room import DiskRoom
from models.clips.interface import ClipNote, PaintedClip
from models.interface import Note, Painting

WORTH_A_LOOK = {Note.SHRUNK, Note.DIVERGED, Note.NOT_FOR_PRINT}
"""Notes that the owner of the box should see among the warnings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finished:
    """A result that lies on the disk, and what is to be noted of it."""

    path: Path
    notes: frozenset[JobNote]
    seconds: float
    size_bytes: int
    faces: int = 0
    frames: int = 0


class ResultKeeper:
    """Has results on the disk and delivered, unless nobody wants them any more."""

    def __init__(
        self,
        *,
        repository: JobRepository,
        deliveries: DeliveryService,
        timings: Timings,
        results: Path,
        room: DiskRoom,
        limits: JobLimits,
    ) -> None:
        self._repository = repository
        self._deliveries = deliveries
        self._timings = timings
        self._results = results
        self._room = room
        self._limits = limits
        self.kept = 0
        """Pictures and clips since the start."""
        self.lock = asyncio.Lock()
        """Held while a picture is written to the disk: whoever has thrown a job away and then had
        the lock knows that no file of it will come."""

    async def keep_picture(self, run: JobRun, painting: Painting) -> None:
        """Raises OSError and what a picture can't be encoded for."""
        await self._keep(run, partial(self._finished_picture, run, painting))

    async def keep_clip(self, run: JobRun, painted: PaintedClip) -> None:
        """Raises OSError."""
        await self._keep(run, partial(self._finished_clip, painted))

    async def _finished_picture(self, run: JobRun, painting: Painting) -> _Finished:
        """Write the picture, and the frames of its film, to the disk."""
        seconds = run.seconds_spent()
        saved = await asyncio.to_thread(
            save_result,
            painting.picture,
            run.job,
            self._results,
            max_bytes=round(self._limits.max_file_mb * 1_000_000),
        )
        return _Finished(
            path=saved.path,
            notes=painting.notes | saved.notes,
            seconds=seconds,
            size_bytes=(await asyncio.to_thread(saved.path.stat)).st_size,
            faces=painting.faces,
            frames=await run.frames.save(frames_file(saved.path)),
        )

    async def _finished_clip(self, painted: PaintedClip) -> _Finished:
        size_bytes = await asyncio.to_thread(flush_clip, painted.path)
        return _Finished(
            path=painted.path,
            notes=frozenset(painted.notes),
            seconds=painted.seconds,
            size_bytes=size_bytes,
        )

    async def _keep(self, run: JobRun, finished: Callable[[], Awaitable[_Finished]]) -> None:
        """Have the result on the disk and delivered, unless nobody wants it any more."""
        async with self.lock:
            if run.ends_as(RunOutcome.THROW_AWAY):
                await asyncio.to_thread(delete_result, clip_file(run.job.id, self._results))
                return
            result = await finished()
            job = await self._repository.painted(
                run.job.id,
                result=result.path,
                notes=result.notes,
                seconds=result.seconds,
                faces=result.faces,
                frames=result.frames,
            )
            if job is None or run.ends_as(RunOutcome.THROW_AWAY):  # cancelled meanwhile
                await asyncio.to_thread(delete_result, result.path)
                return
            self._room.note_written(result.size_bytes)
        self.kept += 1
        if not {Note.STOPPED, ClipNote.CUT_OFF} & result.notes:
            self._timings.record(job.request.options, result.seconds, job.clip_frames)
        log_job("painted", job, logging.WARNING if WORTH_A_LOOK & job.notes else logging.INFO)
        self._deliveries.take(job)
