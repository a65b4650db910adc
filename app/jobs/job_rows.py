"""Jobs read out of the table's rows."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from app.jobs import table
from app.jobs.model import Job
from app.storage.database import Database

logger = logging.getLogger(__name__)

Clock = Callable[[], float]


class JobRows:
    """The jobs of one bot. Paths inside the file's folder are kept relative to it."""

    def __init__(
        self, database: Database, *, bot_id: int, root: Path, clock: Clock = time.time
    ) -> None:
        self._database = database
        self._bot_id = bot_id
        self._root = root
        self._clock = clock
        self._unreadable: set[int] = set()
        """The rows that were named in the log."""

    async def _rows(self, sql: str, *parameters: object) -> list[Job]:
        found = await self._database.fetch_all(sql, parameters)
        return self._readable(found)

    def _readable(self, rows: Iterable[sqlite3.Row]) -> list[Job]:
        """All jobs but those of another version, which stay in the file for that one."""
        jobs = []
        for row in rows:
            try:
                jobs.append(table.job_from_row(row, self._root))
            except table.UnreadableRowError as error:
                if row["id"] not in self._unreadable:
                    self._unreadable.add(row["id"])
                    facts = {"job": row["id"], "fields": error.fields}
                    logger.error("a job can't be read; its row is left as it is", extra=facts)
        return jobs

    async def _row(self, sql: str, *parameters: object) -> Job | None:
        jobs = await self._rows(sql, *parameters)
        return jobs[0] if jobs else None
