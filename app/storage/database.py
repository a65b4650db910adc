"""A SQLite file opened for safety: what was written is on the disk when the call returns.

Each file has one owner, who gives its migrations; the file's `PRAGMA user_version` counts how
many of them it has seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Self

import aiosqlite

logger = logging.getLogger(__name__)

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # in WAL mode NORMAL may lose the last commits with the power
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA secure_delete = ON",  # what a person had forgotten does not linger in free pages
)
_READER_PRAGMAS = ("PRAGMA query_only = ON", "PRAGMA busy_timeout = 5000")


_LOCKED_MAY_TAKE_S = 120.0
"""How long another process (a backup, a curious owner) may hold the file before a write is lost."""
_LOOK_AGAIN_S = 0.2


class UnusableDatabaseError(Exception):
    """The file is no database, or a newer version of the bot wrote it; one sentence says which."""


class Statements:
    """Statements run one by one on a connection, off the event loop."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def execute(self, sql: str, parameters: Iterable[object] = ()) -> None:
        await self._connection.execute_fetchall(sql, tuple(parameters))

    async def fetch_all(self, sql: str, parameters: Iterable[object] = ()) -> list[sqlite3.Row]:
        return list(await self._connection.execute_fetchall(sql, tuple(parameters)))

    async def fetch_one(self, sql: str, parameters: Iterable[object] = ()) -> sqlite3.Row | None:
        rows = await self.fetch_all(sql, parameters)
        return rows[0] if rows else None


class Database(Statements):
    """One SQLite file. A statement of its own commits at once; several go into `transaction`."""

    def __init__(
        self,
        connection: aiosqlite.Connection,
        reader: aiosqlite.Connection,
        closing: contextlib.AsyncExitStack,
    ) -> None:
        super().__init__(connection)
        self._reader = Statements(reader)
        self._closing = closing
        # One connection, many coroutines: without the lock a stranger's statement would join,
        # and be rolled back with, whatever transaction is open.
        self._lock = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path, migrations: Sequence[str]) -> Self:
        """Open (or create) `path` and bring it to the schema that `migrations` end in.

        `migrations[n]` is a script that takes a file from version n to n + 1; scripts are only
        ever appended. Raises UnusableDatabaseError.
        """
        async with contextlib.AsyncExitStack() as stack:
            try:
                connection = await _connect(stack, path, _PRAGMAS)
                await _migrate(connection, path, migrations)
                reader = await _connect(stack, path, _READER_PRAGMAS)
            except sqlite3.DatabaseError as error:
                sentence = f"{path} can't be used as a database: {error}."
                raise UnusableDatabaseError(sentence) from error
            return cls(connection, reader, stack.pop_all())

    async def execute(self, sql: str, parameters: Iterable[object] = ()) -> None:
        await self.fetch_all(sql, parameters)

    async def fetch_all(self, sql: str, parameters: Iterable[object] = ()) -> list[sqlite3.Row]:
        async with self._lock:
            return await self._when_free(sql, parameters)

    async def read_one(self, sql: str, parameters: Iterable[object] = ()) -> sqlite3.Row | None:
        """A row as it was committed last, without waiting for what is being written."""
        return await self._reader.fetch_one(sql, parameters)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Statements]:
        """All of the block's statements or, when it raises, none; use what it yields."""
        async with self._lock:
            await self._when_free("BEGIN IMMEDIATE")
            try:
                yield Statements(self._connection)
                await self._connection.execute_fetchall("COMMIT")
            except BaseException:
                # A COMMIT whose waiter was cancelled may have gone through: nothing to roll back.
                with contextlib.suppress(sqlite3.OperationalError):
                    await self._connection.execute_fetchall("ROLLBACK")
                raise

    async def _when_free(self, sql: str, parameters: Iterable[object] = ()) -> list[sqlite3.Row]:
        """Run a statement of its own; again where another process holds the file meanwhile."""
        values, loop = tuple(parameters), asyncio.get_running_loop()
        deadline = loop.time() + _LOCKED_MAY_TAKE_S
        while True:
            try:
                return await super().fetch_all(sql, values)
            except sqlite3.OperationalError as error:
                is_locked = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not is_locked or loop.time() > deadline:
                    raise
                logger.warning("a database is locked by another process; waiting")

    async def wipe(self) -> None:
        """Leave no byte of what was deleted: not in the file, and not in its log of writes.

        `secure_delete` alone does not: a row that was moved from page to page while it lived has
        left copies behind. Writes wait meanwhile, reads don't; a file of 25 MB takes half a
        second. Raises sqlite3.Error, where another process reads the file for long, say.
        """
        await self.execute("VACUUM")
        await self.empty_log()

    async def empty_log(self) -> None:
        """Leave nothing in the log of writes, where what was deleted stands until it is reused.

        Raises sqlite3.OperationalError where another process reads the file for long.
        """
        # "Busy" is an answer here, not an error: somebody still reads an older state of the file.
        deadline = asyncio.get_running_loop().time() + _LOCKED_MAY_TAKE_S
        while (await self.fetch_all("PRAGMA wal_checkpoint(TRUNCATE)"))[0]["busy"]:
            if asyncio.get_running_loop().time() > deadline:
                raise sqlite3.OperationalError("another process goes on reading the database")
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def close(self) -> None:
        async with self._lock:
            await self._closing.aclose()


async def _connect(
    stack: contextlib.AsyncExitStack, path: Path, pragmas: Iterable[str]
) -> aiosqlite.Connection:
    connection = await aiosqlite.connect(path, isolation_level=None)
    stack.push_async_callback(connection.close)
    connection.row_factory = sqlite3.Row
    for pragma in pragmas:
        await connection.execute_fetchall(pragma)
    return connection


async def _migrate(connection: aiosqlite.Connection, path: Path, migrations: Sequence[str]) -> None:
    ((version,),) = await connection.execute_fetchall("PRAGMA user_version")
    if version > len(migrations):
        raise UnusableDatabaseError(
            f"{path} was written by a newer version of the bot"
            f" (schema {version}, this one knows {len(migrations)})."
        )
    for number, script in enumerate(migrations[version:], start=version + 1):
        await connection.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT;")
