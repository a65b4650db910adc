"""Deletes pictures when their time is over, or the oldest first when the quota is used up.

Those of open jobs stay whatever their age.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.jobs.job_rows import Clock
from app.jobs.limits import JobLimits
from app.jobs.model import Job
from app.jobs.repository import JobRepository
from app.pictures.frames import frames_file
from app.storage.disk_room import tree_bytes
from app.storage.folders import Folders

logger = logging.getLogger(__name__)

ORIGINAL_GRACE_S = 3600.0
"""A photo younger than this may belong to a conversation that has not made a job of it yet."""
RESULT_GRACE_S = 60.0
"""A result younger than this may be on its way into the database."""


@dataclass(frozen=True, slots=True)
class PictureFile:
    """What has to be known of a file to decide whether it goes."""

    path: Path
    modified_at: float
    size_bytes: int
    grace_s: float


class PictureRetention:
    """Holds the retention time, and the quota as far as pictures can go."""

    def __init__(
        self,
        *,
        repository: JobRepository,
        folders: Folders,
        limits: JobLimits,
        clock: Clock = time.time,
    ) -> None:
        self._repository = repository
        self._folders = folders
        self._keep_pictures_s = limits.keep_pictures_hours * 3600
        self._keep_rows_s = limits.keep_rows_hours * 3600
        self._quota_bytes = limits.disk_quota_mb * 1_000_000
        self._every_s = limits.sweep_every_s
        self._clock = clock

    async def run(self) -> None:
        """Sweep from time to time until cancelled; a failure is logged and tried again."""
        while True:
            try:
                await self.sweep()
            except Exception:
                logger.exception("sweeping failed")
            await asyncio.sleep(self._every_s)

    async def sweep(self) -> int:
        """Delete what has to go; returns how many files went."""
        used_bytes = await asyncio.to_thread(tree_bytes, self._folders.root)
        doomed = await self._delete_doomed(used_bytes - self._quota_bytes)
        await self._repository.delete_finished(before=self._clock() - self._keep_rows_s)
        return len(doomed)

    async def make_room(self, size_bytes: int) -> int:
        """Delete the oldest pictures that nobody needs, until so much is free.

        Returns how many bytes went.
        """
        return sum(file.size_bytes for file in await self._delete_doomed(size_bytes))

    async def _delete_doomed(self, excess_bytes: float) -> list[PictureFile]:
        # The files first: what a job takes up after this look is not among them.
        files = await asyncio.to_thread(lambda: list(self._files()))
        open_pictures = await self._repository.open_pictures()
        doomed = self._doomed(files, open_pictures, excess_bytes)
        await asyncio.to_thread(_delete, doomed)
        if doomed:
            freed = sum(file.size_bytes for file in doomed)
            logger.info("pictures swept", extra={"files": len(doomed), "freed_bytes": freed})
        return doomed

    async def used_bytes(self) -> int:
        """What the pictures take on the disk."""
        return await asyncio.to_thread(lambda: sum(file.size_bytes for file in self._files()))

    def _files(self) -> Iterator[PictureFile]:
        """Blocking."""
        graces = {
            self._folders.originals: ORIGINAL_GRACE_S,
            self._folders.results: RESULT_GRACE_S,
        }
        for folder, grace_s in graces.items():
            for path in folder.rglob("*"):
                try:
                    status = path.lstat()
                except FileNotFoundError:  # somebody deleted it since it was listed
                    continue
                if not path.is_dir():
                    yield PictureFile(path, status.st_mtime, status.st_size, grace_s)

    def _doomed(
        self,
        files: Collection[PictureFile],
        open_pictures: Collection[Path],
        excess_bytes: float,
    ) -> list[PictureFile]:
        now = self._clock()
        doomed = []
        for file in sorted(files, key=lambda file: file.modified_at):
            age_s = now - file.modified_at
            is_free = file.path not in open_pictures and age_s > file.grace_s
            if is_free and (age_s > self._keep_pictures_s or excess_bytes > 0):
                doomed.append(file)
                excess_bytes -= file.size_bytes
        return doomed


def _delete(files: Collection[PictureFile]) -> None:
    """Blocking."""
    for file in files:
        file.path.unlink(missing_ok=True)


def pictures_of(job: Job) -> set[Path]:
    """Every file that a job reads or has written; its own and the presets'."""
    paths = {job.request.content, *(style.picture for style in job.request.styles)}
    return paths if job.result is None else paths | {job.result, frames_file(job.result)}


def delete_pictures(folders: Folders, pictures: Iterable[Path]) -> None:
    """Blocking: delete what jobs' owner sent and got, and nothing outside the two folders.

    Raises OSError for what can't be deleted.
    """
    for path in pictures:
        if any(path.is_relative_to(room) for room in (folders.originals, folders.results)):
            path.unlink(missing_ok=True)
