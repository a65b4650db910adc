"""Orders take turns, so that whoever only says or asks something is answered at once.

Two hundred people who order pictures in the same moment give the event loop work for seconds. Were
all of it begun together, anybody's word would come round as slowly as the whole of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from aiogram import Bot
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.methods.base import TelegramMethod

AT_ONCE: Final = 4
"""Few enough for the loop to come round quickly, and enough to share the disk's flushes."""


@dataclass(slots=True)
class _Turn:
    """One handler's; the tasks that it starts have no part in it."""

    room: asyncio.Semaphore
    task: asyncio.Task[Any] | None
    is_held: bool = True


_turn: ContextVar[_Turn | None] = ContextVar("turn", default=None)


class Turns:
    """So many handlers at once are at work in the house; those that wait for others don't count."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._room = asyncio.Semaphore(at_once)

    @contextlib.asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Wait for a turn; the block has it, except where it is `between_turns`."""
        await self._room.acquire()
        turn = _Turn(self._room, asyncio.current_task())
        token = _turn.set(turn)
        try:
            yield
        finally:
            _turn.reset(token)
            if turn.is_held:
                self._room.release()


@contextlib.asynccontextmanager
async def between_turns() -> AsyncIterator[None]:
    """Let others go on during the block, which waits for a line or for a silence to end."""
    turn = _turn.get()
    if turn is None or not turn.is_held or turn.task is not asyncio.current_task():
        yield
        return
    turn.is_held = False
    turn.room.release()
    try:
        yield
    finally:
        await turn.room.acquire()
        turn.is_held = True


class GivesWay(BaseRequestMiddleware):
    """A session middleware: Telegram's answers are waited for between turns."""

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[Any],
        bot: Bot,
        method: TelegramMethod[Any],
    ) -> Any:
        async with between_turns():
            return await make_request(bot, method)
