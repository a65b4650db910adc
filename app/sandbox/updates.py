"""The bot's update queue with the Bot API's offset semantics."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from typing import Any

from app.sandbox.errors import SECOND_BOT, ApiError

Json = dict[str, Any]

MAX_BATCH = 100
KEPT_UPDATES = 1000
MAX_WAITING = 20_000
"""Telegram keeps them for a day; a bot that never comes must not fill the memory."""


class UpdateQueue:
    """Updates wait until a `getUpdates` with a higher offset confirms them."""

    def __init__(self, *, first_id: int | None = None) -> None:
        # A new world must not repeat the ids of the last one: a bot remembers what it has seen.
        self._next_id = secrets.randbelow(2**30) if first_id is None else first_id
        self.recent: deque[Json] = deque(maxlen=KEPT_UPDATES)
        """The latest updates, confirmed or not."""
        self._waiting: list[Json] = []
        self._repeats: list[Json] = []
        self._arrived = asyncio.Event()
        self.polls = 0
        """How often updates were asked for."""

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, kind: str, payload: Json) -> Json:
        update = {"update_id": self._next_id, kind: payload}
        self._next_id += 1
        self.recent.append(update)
        self._waiting.append(update)
        del self._waiting[:-MAX_WAITING]
        self._arrived.set()
        return update

    def repeat(self, update: Json) -> None:
        """Deliver an update once more, as after a confirmation that got lost."""
        self._repeats.append(update)
        self._arrived.set()

    def drop_all(self) -> None:
        self._waiting.clear()

    async def get(self, *, offset: int, limit: int, timeout_s: float) -> list[Json]:
        """Confirm all below `offset`, then wait up to `timeout_s` for what is there.

        Raises `ApiError` 409 if another `getUpdates` takes over meanwhile.
        """
        self._confirm(offset)
        self.polls += 1
        mine = self.polls
        self._arrived.set()  # wakes the poll that this one ends
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not (batch := self._batch(limit)):
            self._arrived.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._arrived.wait()
            except TimeoutError:
                return []
            if mine != self.polls:
                raise ApiError(409, SECOND_BOT)
        return batch

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            self._waiting = self._waiting[offset:]
        else:
            self._waiting = [u for u in self._waiting if u["update_id"] >= offset]

    def _batch(self, limit: int) -> list[Json]:
        repeats, self._repeats = self._repeats, []
        return (repeats + self._waiting)[: min(max(limit, 1), MAX_BATCH)]
