"""Few handlers work at once, so that whoever only says or asks something is answered at once.

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
class _Slot:
    """One handler's; the tasks that it starts have no part in it."""

    room: asyncio.Semaphore
    task: asyncio.Task[Any] | None
    is_held: bool = True


_slot: ContextVar[_Slot | None] = ContextVar("slot", default=None)


class HandlerSlots:
    """So many handlers work at once in the whole bot; those that wait for others don't count."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._room = asyncio.Semaphore(at_once)

    @contextlib.asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Wait for a slot; the block holds it, except inside `slot_released`."""
        await self._room.acquire()
        slot = _Slot(self._room, asyncio.current_task())
        token = _slot.set(slot)
        try:
            yield
        finally:
            _slot.reset(token)
            if slot.is_held:
                self._room.release()


@contextlib.asynccontextmanager
async def slot_released() -> AsyncIterator[None]:
    """Give the handler's slot to others during the block, which waits for something slow."""
    slot = _slot.get()
    if slot is None or not slot.is_held or slot.task is not asyncio.current_task():
        yield
        return
    slot.is_held = False
    slot.room.release()
    try:
        yield
    finally:
        await slot.room.acquire()
        slot.is_held = True


class ReleaseSlotMiddleware(BaseRequestMiddleware):
    """A session middleware: while Telegram's answer is waited for, the slot is free for others."""

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[Any],
        bot: Bot,
        method: TelegramMethod[Any],
    ) -> Any:
        async with slot_released():
            return await make_request(bot, method)
