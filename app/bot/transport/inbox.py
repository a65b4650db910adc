"""Updates from the moment they arrive until they are handled, and the numbers of those seen."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from app.bot.transport.senders import without_person
from app.storage.database import Database

logger = logging.getLogger(__name__)

KEEP_UPDATES_S: Final = 3 * 86_400.0
"""Telegram repeats an update for 24 hours at most."""
MAX_ATTEMPTS: Final = 3
"""An update whose handler was running so often when the process died is not tried again."""


def _update(body: object, update_id: int) -> dict[str, Any] | None:
    """What was stored; None if it is no update, or not the one of this number."""
    try:
        update = json.loads(body) if isinstance(body, str | bytes) else None
    except (ValueError, RecursionError):
        return None
    is_it = isinstance(update, dict) and update.get("update_id") == update_id
    return update if is_it else None


class Inbox:
    """What Telegram has delivered and no handler has dealt with yet.

    Telegram forgets an update once it is confirmed, so it is written here before that. Numbers
    are recognised, not compared: after an idle week they start again anywhere.
    """

    def __init__(
        self,
        database: Database,
        *,
        bot_id: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._bot_id = bot_id
        self._clock = clock

    async def take_in(self, updates: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Write updates down, all or none; returns those that were never seen before.

        What JSON can't say (`NaN`) is left out, with a line in the log.
        """
        bodies = {}
        for update in updates:
            try:
                bodies[update["update_id"]] = json.dumps(update, allow_nan=False)
            except ValueError:
                # Nothing of it is shown: what stands in it was said by somebody.
                logger.error("an update can't be kept", extra={"update": update["update_id"]})
        if not bodies:
            return []
        rows = await self._database.fetch_all(
            "INSERT INTO updates (bot_id, update_id, body, seen_at)"
            " SELECT ?, json_extract(value, '$.update_id'), value, ? FROM json_each(?) WHERE true"
            " ON CONFLICT DO NOTHING RETURNING update_id",
            (self._bot_id, self._clock(), f"[{','.join(bodies.values())}]"),
        )
        by_id = {update["update_id"]: update for update in updates}
        new = {row["update_id"] for row in rows}
        return [update for update_id, update in by_id.items() if update_id in new]

    async def unhandled(self) -> list[dict[str, Any]]:
        """What the last run left behind, in its order, less what has had its attempts."""
        async with self._database.transaction() as statements:
            given_up = await statements.fetch_all(
                "UPDATE updates SET body = NULL WHERE bot_id = ? AND body NOT NULL"
                " AND attempts >= ? RETURNING update_id",
                (self._bot_id, MAX_ATTEMPTS),
            )
            rows = await statements.fetch_all(
                "SELECT update_id, body FROM updates WHERE bot_id = ? AND body NOT NULL"
                " ORDER BY seen_at, update_id",
                (self._bot_id,),
            )
        for row in given_up:
            logger.error("an update is given up", extra={"update": row["update_id"]})
        updates = {row["update_id"]: _update(row["body"], row["update_id"]) for row in rows}
        unreadable = [number for number, update in updates.items() if update is None]
        for number in unreadable:
            logger.error("a stored update can't be read", extra={"update": number})
        if unreadable:
            await self.handled(unreadable)
        return [update for update in updates.values() if update is not None]

    async def started(self, update_ids: Iterable[int]) -> None:
        """Count an attempt, before the handler begins: it may take the process down."""
        await self._count_attempts(update_ids, 1)

    async def put_back(self, update_ids: Iterable[int]) -> None:
        """The handler was cut short by an ordinary stop: that was no attempt."""
        await self._count_attempts(update_ids, -1)

    async def _count_attempts(self, update_ids: Iterable[int], change: int) -> None:
        await self._database.execute(
            "UPDATE updates SET attempts = attempts + ? WHERE bot_id = ?"
            " AND update_id IN (SELECT value FROM json_each(?))",
            (change, self._bot_id, json.dumps(list(update_ids))),
        )

    async def handled(self, update_ids: Iterable[int]) -> None:
        """Forget what these said; that they were seen is remembered."""
        await self._database.execute(
            "UPDATE updates SET body = NULL WHERE bot_id = ?"
            " AND update_id IN (SELECT value FROM json_each(?))",
            (self._bot_id, json.dumps(list(update_ids))),
        )

    async def forget(self, user_id: int) -> None:
        """Forget what a person has said; in what others have said nobody takes their place."""
        rows = await self._database.fetch_all(
            "SELECT bot_id, update_id, body FROM updates WHERE body LIKE ?", (f"%{user_id}%",)
        )
        cleaned = await asyncio.to_thread(
            lambda: [(_cleaned(row["body"], user_id), row[0], row[1]) for row in rows]
        )
        async with self._database.transaction() as statements:
            for values in cleaned:
                await statements.execute(
                    "UPDATE updates SET body = ?"
                    " WHERE bot_id = ? AND update_id = ? AND body NOT NULL",
                    values,
                )

    async def prune(self) -> None:
        """Forget numbers that can't come again."""
        await self._database.execute(
            "DELETE FROM updates WHERE body IS NULL AND seen_at < ?",
            (self._clock() - KEEP_UPDATES_S,),
        )


def _cleaned(body: str, user_id: int) -> str | None:
    left = without_person(json.loads(body), user_id)
    return None if left is None else json.dumps(left)
