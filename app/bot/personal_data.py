"""Everything that is known of a person, in whatever store, and how all of it is deleted.

What is to be deleted is written down first. A process that ends in the middle goes on with it at
its next start, and what fails is tried again from time to time. Once all is deleted, what was
written down goes as well, and each database is rewritten, so that no byte is left of either.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final, Protocol

from app.bot.transport.borrowed_pictures import BorrowedPictures, files_called
from app.jobs.interface import JobService
from app.storage.database import Database

logger = logging.getLogger(__name__)

_REMAINS: Final = 0
"""Nobody's id: everything is deleted, and the databases are still to be rewritten."""
_ROUNDS: Final = 3
"""What a person says while being forgotten is forgotten too, but not for ever."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Who wants to be forgotten, and where the answer belongs."""

    user_id: int
    chat_id: int | None = None
    message_id: int | None = None
    language: str | None = None


class Store(Protocol):
    """Anything that keeps something about people."""

    async def forget(self, user_id: int) -> None:
        """Delete all of it. Raises OSError or sqlite3.Error; then it may be tried again."""
        ...


class Conversations(Protocol):
    """Where people are listened to."""

    def silenced(self, user_id: int) -> AbstractAsyncContextManager[None]:
        """Drop what a person said and cut short who works on it; nothing begins in the block."""
        ...

    def has_more_of(self, user_id: int) -> bool:
        """Whether this person said something that nobody has looked at yet."""
        ...


class PersonalData:
    """The one place that knows all stores of what is about people."""

    def __init__(
        self,
        *,
        chats: Database,
        conversations: Conversations,
        job_service: JobService,
        borrowed: BorrowedPictures,
        stores: Sequence[Store],
        wipes: Sequence[Callable[[], Awaitable[None]]],
    ) -> None:
        """`stores` beside the jobs and what is borrowed; `wipes` rewrite all databases."""
        self._erasures = _Erasures(chats)
        self._conversations = conversations
        self._job_service = job_service
        self._borrowed = borrowed
        self._stores = stores
        self._wipes = wipes
        self._erasing: set[int] = set()
        """Whose press is being answered: to go on with these would cut that short."""
        self._wiping = asyncio.Lock()
        self._to_wipe = self._wiped = 0

    async def erase(self, erasure: Erasure) -> bool:
        """Forget a person, and all that they said until this returns.

        False if something could not be deleted: then it is tried again until it is.
        """
        self._erasing.add(erasure.user_id)
        try:
            for _ in range(_ROUNDS):
                await self._erasures.record(erasure)
                async with self._conversations.silenced(erasure.user_id):
                    is_done = await self._delete(erasure.user_id) and await self._wipe()
                if not is_done or not self._conversations.has_more_of(erasure.user_id):
                    break
            return is_done
        finally:
            self._erasing.discard(erasure.user_id)

    async def resume(self) -> list[Erasure]:
        """Go on with what is written down; returns those who are forgotten now."""
        done = []
        for erasure in await self._erasures.all():
            if erasure.user_id == _REMAINS:
                self._to_wipe += 1
                continue
            if erasure.user_id in self._erasing:
                continue
            async with self._conversations.silenced(erasure.user_id):
                if await self._delete(erasure.user_id):
                    done.append(erasure)
        return done if await self._wipe() else []

    async def _delete(self, user_id: int) -> bool:
        """Delete what there is in each store, though another one fails."""
        is_done = True
        for forget in (
            self._forget_copies,
            self._job_service.forget,
            *(store.forget for store in self._stores),
        ):
            try:
                await forget(user_id)
            except (OSError, sqlite3.Error) as error:
                # Not its text: paths are called by people's ids.
                logger.error("something can't be deleted", extra={"error": type(error).__name__})
                is_done = False
        if is_done:
            self._to_wipe += 1
            await self._erasures.reduce(user_id)
        return is_done

    async def _forget_copies(self, owner_id: int) -> None:
        """Others' copies of this person's pictures, and what is still to be painted of them."""
        names = await self._borrowed.of(owner_id)
        copies = await asyncio.to_thread(lambda: [f for name in names for f in files_called(name)])
        await self._job_service.withdraw(copies)
        await asyncio.to_thread(_delete_files, copies)
        await self._borrowed.forget(owner_id)

    async def _wipe(self) -> bool:
        """Rewrite the databases, once for all who wait for it."""
        asked_for = self._to_wipe
        async with self._wiping:
            if self._wiped >= asked_for:
                return True
            covered = self._to_wipe
            try:
                for wipe in self._wipes:
                    await wipe()
                if covered == self._to_wipe:
                    await self._erasures.close()
            except sqlite3.Error as error:
                logger.error("a database can't be rewritten", extra={"error": type(error).__name__})
                return False
            self._wiped = covered
            return True


class _Erasures:
    """What is written down of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, erasure: Erasure) -> None:
        await self._database.execute(
            "INSERT OR REPLACE INTO erasures VALUES (?, ?, ?, ?)", astuple(erasure)
        )

    async def all(self) -> list[Erasure]:
        rows = await self._database.fetch_all("SELECT * FROM erasures")
        return [Erasure(*row) for row in rows]

    async def reduce(self, user_id: int) -> None:
        """Everything is deleted: what is left to do names nobody."""
        async with self._database.transaction() as statements:
            await statements.execute("DELETE FROM erasures WHERE user_id = ?", (user_id,))
            await statements.execute("INSERT OR IGNORE INTO erasures (user_id) VALUES (0)")

    async def close(self) -> None:
        """Nothing is left to do for those who are not named any more."""
        await self._database.execute("DELETE FROM erasures WHERE user_id = ?", (_REMAINS,))


def _delete_files(paths: Sequence[Path]) -> None:
    """Blocking. Raises OSError."""
    for path in paths:
        path.unlink(missing_ok=True)
