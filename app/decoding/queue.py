"""Whose picture is decoded next: fair between people, within the memory that there is."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

MAX_OVERTAKEN: Final = 20
"""So often others may go first whose pictures fit into the memory that is left."""


@dataclass(slots=True, eq=False)
class _Waiting:
    needed_bytes: int
    turn: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    overtaken: int = 0


class DecodingQueue:
    """Turns go round between people, one of each at a time; a few small ones or one large."""

    def __init__(self, *, at_once: int, memory_bytes: int) -> None:
        self._places = at_once
        self._memory_bytes = memory_bytes
        self._free_bytes = memory_bytes
        self._waiting: OrderedDict[int, deque[_Waiting]] = OrderedDict()
        """By person, whoever was served longest ago first."""
        self._busy: set[int] = set()

    @contextlib.asynccontextmanager
    async def turn(self, user_id: int, needed_bytes: int) -> AsyncIterator[None]:
        """Wait for a turn; the block holds a place and so much memory."""
        waiting = _Waiting(min(needed_bytes, self._memory_bytes))
        self._waiting.setdefault(user_id, deque()).append(waiting)
        self._begin_more()
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if waiting.turn.cancelled():
                self._leave(user_id, waiting)
                self._begin_more()
            else:
                self._end(user_id, waiting)
            raise
        try:
            yield
        finally:
            self._end(user_id, waiting)

    def _begin_more(self) -> None:
        overtaken: list[_Waiting] = []
        for user_id in list(self._waiting):
            if self._places == 0:
                return
            waiting = self._first(user_id)
            if waiting is None or user_id in self._busy:
                continue
            if waiting.needed_bytes <= self._free_bytes:
                self._begin(user_id, waiting)
                for each in overtaken:
                    each.overtaken += 1
            elif waiting.overtaken >= MAX_OVERTAKEN:
                return
            else:
                overtaken.append(waiting)

    def _first(self, user_id: int) -> _Waiting | None:
        """Of those that this person still waits for: who gave up may not have left yet."""
        waiting = self._waiting[user_id]
        return next((each for each in waiting if not each.turn.done()), None)

    def _begin(self, user_id: int, waiting: _Waiting) -> None:
        self._leave(user_id, waiting)
        self._busy.add(user_id)
        self._places -= 1
        self._free_bytes -= waiting.needed_bytes
        waiting.turn.set_result(None)

    def _end(self, user_id: int, waiting: _Waiting) -> None:
        self._busy.remove(user_id)
        if user_id in self._waiting:
            self._waiting.move_to_end(user_id)
        self._places += 1
        self._free_bytes += waiting.needed_bytes
        self._begin_more()

    def _leave(self, user_id: int, waiting: _Waiting) -> None:
        self._waiting[user_id].remove(waiting)
        if not self._waiting[user_id]:
            del self._waiting[user_id]
