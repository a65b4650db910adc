"""What the jobs of one bot are kept in: a folder of its own, locked, with a database."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from app.jobs.repository import JobRepository
from app.storage.folders import Folders
from app.storage.lock import FolderLock


@dataclass(frozen=True, slots=True)
class JobStore:
    """Open from `open` to `close`; no other process works with the folder meanwhile."""

    folders: Folders
    repository: JobRepository
    _lock: FolderLock

    @classmethod
    async def open(cls, root: Path, *, bot_id: int) -> Self:
        """Open the data folder `root`.

        Raises UnusableDatabaseError, also for a folder that another process works with, or
        OSError for one that can't be written.
        """
        folders = Folders(root)
        await asyncio.to_thread(folders.make)
        lock = await asyncio.to_thread(FolderLock.acquire, folders.lock)
        try:
            repository = await JobRepository.open(folders.database, bot_id=bot_id)
        except BaseException:
            lock.release()
            raise
        return cls(folders, repository, lock)

    async def close(self) -> None:
        """Close the database and leave the folder to others."""
        await self.repository.close()
        self._lock.release()
