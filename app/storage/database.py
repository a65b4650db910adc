"""A SQLite file opened for safety: what was written is on the disk when the call returns.

Each file has one owner, who gives its migrations; the file's `PRAGMA user_version` counts how
many of them it has seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, Self

import aiosqlite

from app.errors import CannotRunError, cannot_use
from app.storage.folders import flush_folder

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


class UnusableDatabaseError(CannotRunError):
    """The file is no database, or a newer version of the bot wrote it; one sentence says which."""


class DamagedDatabaseError(UnusableDatabaseError):
    """The file is no database, or no longer a whole one; one sentence says so."""


class _Damage:
    """Notices, at any statement, that the file is no longer a whole database."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._noticed = asyncio.Event()

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Raises DamagedDatabaseError instead of what SQLite says of a damaged file."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            self._noticed.set()
            raise self._error() from error

    async def noticed(self) -> NoReturn:
        """Wait until there is damage, and raise DamagedDatabaseError then."""
        await self._noticed.wait()
        raise self._error()

    def _error(self) -> DamagedDatabaseError:
        return DamagedDatabaseError(
            f"{self._path} is damaged, or not a database; it was left as it is."
            " Put a backup in its place, or move it away to begin a new one."
        )


class Statements:
    """Statements run one by one on a connection, off the event loop."""

    def __init__(self, connection: aiosqlite.Connection, damage: _Damage) -> None:
        self._connection = connection
        self._damage = damage

    async def execute(self, sql: str, parameters: Iterable[object] = ()) -> None:
        await self.fetch_all(sql, parameters)

    async def fetch_all(self, sql: str, parameters: Iterable[object] = ()) -> list[sqlite3.Row]:
        with self._damage.watched():
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
        damage: _Damage,
    ) -> None:
        super().__init__(connection, damage)
        self._reader = Statements(reader, damage)
        self._closing = closing
        # One connection, many coroutines: without the lock a stranger's statement would join,
        # and be rolled back with, whatever transaction is open.
        self._lock = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path, migrations: Sequence[str]) -> Self:
        """Open (or create) `path` and bring it to the schema that `migrations` end in.

        `migrations[n]` is a script that takes a file from version n to n + 1; scripts are only
        ever appended. Raises UnusableDatabaseError, and DamagedDatabaseError for one that is not
        whole any more: nothing of it is lost without its owner's hand.
        """
        damage = _Damage(path)
        async with contextlib.AsyncExitStack() as stack:
            try:
                await asyncio.to_thread(_make_private, path)
                with damage.watched():
                    connection = await _connect(stack, path, _PRAGMAS)
                    await _check(connection)
                    await _migrate(connection, path, migrations)
                    reader = await _connect(stack, path, _READER_PRAGMAS)
            except OSError as error:
                raise UnusableDatabaseError(cannot_use(path, error)) from error
            except sqlite3.DatabaseError as error:
                sentence = f"{path} can't be used as a database: {error}."
                raise UnusableDatabaseError(sentence) from error
            return cls(connection, reader, stack.pop_all(), damage)

    @classmethod
    async def open_or_begin_anew(cls, path: Path, migrations: Sequence[str]) -> Self:
        """The same for what the bot can do without: a damaged file is kept under another name.

        Raises UnusableDatabaseError.
        """
        try:
            return await cls.open(path, migrations)
        except DamagedDatabaseError:
            kept = await asyncio.to_thread(_put_aside, path)
            logger.critical("%s was damaged; it is kept as %s, and a new one begins", path, kept)
        return await cls.open(path, migrations)

    async def damaged(self) -> NoReturn:
        """Wait until a statement meets damage, if ever; then raise DamagedDatabaseError."""
        await self._damage.noticed()

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
                statements = Statements(self._connection, self._damage)
                yield statements
                await statements.execute("COMMIT")
            except BaseException:
                # A COMMIT whose waiter was cancelled may have gone through: nothing to roll back.
                with contextlib.suppress(sqlite3.DatabaseError):
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


def _is_damage(error: sqlite3.Error) -> bool:
    # Errors of the module's own (a connection that is closed) have no code.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def _parts(path: Path) -> list[Path]:
    """A database and its log of writes."""
    return [path.with_name(path.name + ending) for ending in ("", "-wal", "-shm")]


def _make_private(path: Path) -> None:
    """Blocking: nobody but the bot's own account reads it; the log of writes takes after it."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for part in _parts(path):
        if part.exists():
            part.chmod(0o600)


def _put_aside(path: Path) -> Path:
    """Blocking: give a database another name; returns it."""
    name = f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    aside = path.with_name(name)
    for part, kept in zip(_parts(path), _parts(aside), strict=True):
        if part.exists():
            part.replace(kept)
    flush_folder(path.parent)
    return aside


async def _check(connection: aiosqlite.Connection) -> None:
    """Raises sqlite3.DatabaseError where pages are not what they should be."""
    ((found,),) = await connection.execute_fetchall("PRAGMA quick_check(1)")
    if found != "ok":
        error = sqlite3.DatabaseError("quick_check found damage")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


async def _connect(
    stack: contextlib.AsyncExitStack, path: Path, pragmas: Iterable[str]
) -> aiosqlite.Connection:
    connection = await aiosqlite.connect(path, isolation_level=None)
    stack.push_async_callback(connection.close)
    connection.row_factory = sqlite3.Row
    # A row whose text is none must not take those beside it down.
    connection.text_factory = _text
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
