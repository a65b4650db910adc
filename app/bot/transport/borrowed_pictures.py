"""Whose pictures people have copied: somebody else's photo they answered with /style, or forwarded.

The owner's wish to be forgotten reaches these copies, too.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aiogram.types import Message, MessageOriginUser

from app.storage.database import Database

_GRACE_S: Final = 3600.0
"""Noted before its file is there: a younger note may still wait for it."""


def owner_of(message: Message) -> int | None:
    """The person whose picture it is, as far as Telegram says so; None for bots and channels."""
    origin = message.forward_origin
    if isinstance(origin, MessageOriginUser):
        owner = origin.sender_user
    elif origin is None and message.from_user is not None:
        owner = message.from_user
    else:
        return None
    return None if owner.is_bot else owner.id


class BorrowedPictures:
    """Who has a copy of whose picture, by the names of the files in `folder`, one per holder."""

    def __init__(
        self, database: Database, folder: Path, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._folder = folder
        self._clock = clock

    async def note(self, name: str, *, holder_id: int, owner_id: int) -> None:
        """Remember it, before the copy is on the disk; `name` is the file's without its suffix."""
        await self._database.execute(
            "INSERT INTO borrowed_pictures VALUES (?, ?, ?, ?)",
            (name, holder_id, owner_id, self._clock()),
        )

    async def of(self, owner_id: int) -> list[Path]:
        """The copies that others have of this person's pictures, without their suffixes."""
        rows = await self._database.fetch_all(
            "SELECT holder_id, name FROM borrowed_pictures WHERE owner_id = ?", (owner_id,)
        )
        return [self._folder / str(row["holder_id"]) / row["name"] for row in rows]

    async def forget(self, user_id: int) -> None:
        """Forget what a person has borrowed, and who has borrowed of them."""
        await self._database.execute(
            "DELETE FROM borrowed_pictures WHERE ? IN (holder_id, owner_id)", (user_id,)
        )

    async def prune(self) -> None:
        """Forget the copies that are gone."""
        rows = await self._database.fetch_all(
            "SELECT name, holder_id FROM borrowed_pictures WHERE borrowed_at < ?",
            (self._clock() - _GRACE_S,),
        )
        gone = await asyncio.to_thread(
            lambda: [
                row["name"]
                for row in rows
                if not files_called(self._folder / str(row["holder_id"]) / row["name"])
            ]
        )
        await self._database.execute(
            "DELETE FROM borrowed_pictures WHERE name IN (SELECT value FROM json_each(?))",
            (json.dumps(gone),),
        )


def files_called(path: Path) -> list[Path]:
    """Blocking: the files of this name, whatever their suffix."""
    return list(path.parent.glob(f"{path.name}.*"))
