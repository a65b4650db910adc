"""One fsync for the writes of many: while one group is written, the next one gathers."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from app.storage.database import Database

MAX_GROUP: Final = 32
"""A reader waits for one group at most, so it must not be long."""


@dataclass(frozen=True, slots=True)
class _Write:
    sql: str
    parameters: tuple[object, ...]
    written: asyncio.Future[None]

    @property
    def is_delete(self) -> bool:
        return self.sql.startswith("DELETE")


class GroupCommit:
    """Writes to one database whose authors each wait until theirs is on the disk.

    For a crowd this is many times faster than a commit for each, and nobody's answer waits for
    all the others. A group is written as a whole or not at all.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[_Write] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def execute(self, sql: str, parameters: Iterable[object] = ()) -> None:
        """Run a statement; it is on the disk when this returns. Raises sqlite3.Error."""
        written = asyncio.get_running_loop().create_future()
        self._waiting.append(_Write(sql, tuple(parameters), written))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        await written

    async def close(self) -> None:
        """Wait until everything is written."""
        if self._writer is not None:
            await self._writer

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                count = min(MAX_GROUP, len(self._waiting))
                await self._write([self._waiting.popleft() for _ in range(count)])
        finally:
            self._writer = None

    async def _write(self, group: list[_Write]) -> None:
        try:
            async with self._database.transaction() as statements:
                for run in _runs(group):
                    await statements.execute_many(run[0].sql, [each.parameters for each in run])
        except Exception as error:
            for write in group:
                _resolve(write.written, error)
        else:
            for write in group:
                _resolve(write.written, None)


def _runs(group: Iterable[_Write]) -> list[list[_Write]]:
    """Writes of the same text together: each run is one round of a busy loop, not each write.

    What is inserted or updated here by different texts lies in different tables, so their order
    among each other is free; nothing passes a DELETE.
    """
    runs: list[list[_Write]] = []
    for write in group:
        for run in reversed(runs):
            if run[0].sql == write.sql:
                run.append(write)
                break
            if run[0].is_delete or write.is_delete:
                runs.append([write])
                break
        else:
            runs.append([write])
    return runs


def _resolve(written: asyncio.Future[None], error: Exception | None) -> None:
    # Whoever was cancelled meanwhile does not wait any more.
    with contextlib.suppress(asyncio.InvalidStateError):
        if error is None:
            written.set_result(None)
        else:
            written.set_exception(error)
