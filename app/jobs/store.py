"""What the jobs of one bot are kept in: a folder of its own with a database."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from app.jobs.repository import JobRepository
from app.storage.folders import Folders


@dataclass(frozen=True, slots=True)
class JobStore:
    """Open from `open` to `close`; whoever opens it holds the folder's lock meanwhile."""

    folders: Folders
    repository: JobRepository

    @classmethod
    async def open(cls, root: Path, *, bot_id: int) -> Self:
        """Open the data folder `root`.

        Raises UnusableDatabaseError, or OSError for one that can't be written.
        """
        folders = Folders(root)
        await asyncio.to_thread(folders.make)
        return cls(folders, await JobRepository.open(folders.database, bot_id=bot_id))

    async def close(self) -> None:
        """Close the database."""
        await self.repository.close()
