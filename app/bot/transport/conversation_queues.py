"""Updates on their way to the handlers: in order within a conversation, at once between them.

The pieces of an album arrive as updates of their own, and nothing says how many there are; here
they become one entry of their queue, which is handled a moment after the last piece.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.bot.transport.raw_updates import RawUpdate, part_of

logger = logging.getLogger(__name__)

Handle = Callable[[Sequence[RawUpdate]], Awaitable[None]]

ALBUM_PAUSE_S: Final = 0.7
MAX_ALBUM: Final = 10
MAX_IN_HAND: Final = 4000
"""Above this no more updates are fetched: Telegram keeps them better than our memory."""
MAX_PER_CONVERSATION: Final = 120
"""What one person may have lying here, a hundred pictures chosen at once and some words: else a
flood that is answered slowly would fill all the room there is, and everybody would wait for it."""


@dataclass(slots=True)
class _Entry:
    """One update, or the pieces of one album."""

    updates: list[RawUpdate]
    album: str | None = None
    ready_at: float = 0.0

    @property
    def is_growing(self) -> bool:
        return self.album is not None and len(self.updates) < MAX_ALBUM


@dataclass(slots=True)
class _ConversationQueue:
    entries: deque[_Entry] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        return sum(len(entry.updates) for entry in self.entries) >= MAX_PER_CONVERSATION


class ConversationQueues:
    """One queue for each person in each chat, for as long as there is something in it."""

    def __init__(self, handle: Handle, *, album_pause_s: float = ALBUM_PAUSE_S) -> None:
        self._handle = handle
        self._album_pause_s = album_pause_s
        self._queues: dict[Hashable, _ConversationQueue] = {}
        self._in_hand = 0
        self._room = asyncio.Event()
        self._room.set()
        self._held: list[Callable[[Hashable], bool]] = []
        self._let_go = asyncio.Event()

    def put(self, key: Hashable, update: RawUpdate) -> bool:
        """Queue an update; returns at once. False if its queue is full: then nobody handles it."""
        queue = self._queues.setdefault(key, _ConversationQueue())
        if queue.is_full:
            return False
        self._count(1)
        album = part_of(update, "message").get("media_group_id")
        entry = _growing(queue, album) if album else None
        if entry is None:
            queue.entries.append(entry := _Entry([update], album))
        else:
            entry.updates.append(update)
        if album:
            entry.ready_at = asyncio.get_running_loop().time() + self._album_pause_s
        if queue.task is None:
            queue.task = asyncio.create_task(self._run(key, queue))
        return True

    @contextlib.asynccontextmanager
    async def emptied(self, is_meant: Callable[[Hashable], bool]) -> AsyncIterator[None]:
        """Drop what lies in these queues and cut their handlers short, but not the caller's own.

        What comes for them during the block waits for its end.
        """
        self._held.append(is_meant)
        try:
            await self._empty(is_meant)
            yield
        finally:
            self._held.remove(is_meant)
            self._let_go.set()
            self._let_go = asyncio.Event()

    def is_waiting(self, is_meant: Callable[[Hashable], bool]) -> bool:
        """Whether something lies in these queues that no handler has begun with."""
        return any(queue.entries for key, queue in self._queues.items() if is_meant(key))

    async def _empty(self, is_meant: Callable[[Hashable], bool]) -> None:
        cut_short = []
        for key, queue in list(self._queues.items()):
            if is_meant(key):
                self._count(-sum(len(entry.updates) for entry in queue.entries))
                queue.entries.clear()
                if queue.task is not None and queue.task is not asyncio.current_task():
                    queue.task.cancel()
                    cut_short.append(queue.task)
        await asyncio.gather(*cut_short, return_exceptions=True)

    async def room(self) -> None:
        """Wait until more updates may come in."""
        await self._room.wait()

    async def close(self, timeout_s: float) -> None:
        """Let handlers finish; what still runs then is cancelled and stays unhandled."""
        tasks = [queue.task for queue in self._queues.values() if queue.task is not None]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=timeout_s)
        for task in late:
            task.cancel()
        if late:
            logger.warning("%d conversations cut short; they go on after the next start", len(late))
            await asyncio.wait(late)

    async def _run(self, key: Hashable, queue: _ConversationQueue) -> None:
        try:
            while queue.entries:
                await self._until_complete(queue.entries[0])
                while any(is_meant(key) for is_meant in self._held):
                    await self._let_go.wait()
                # From here on a late piece starts an entry of its own instead of being lost.
                entry = queue.entries.popleft()
                try:
                    await self._handle(entry.updates)
                except Exception:
                    # Those behind it must not suffer for it.
                    logger.exception("a conversation failed")
                finally:
                    self._count(-len(entry.updates))
        finally:
            self._count(-sum(len(entry.updates) for entry in queue.entries))
            del self._queues[key]

    async def _until_complete(self, entry: _Entry) -> None:
        loop = asyncio.get_running_loop()
        # Every further piece moves the moment, so there is no one event to wait for.
        while entry.is_growing and (left_s := entry.ready_at - loop.time()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left_s)

    def _count(self, change: int) -> None:
        self._in_hand += change
        if self._in_hand < MAX_IN_HAND:
            self._room.set()
        else:
            self._room.clear()


def _growing(queue: _ConversationQueue, album: str) -> _Entry | None:
    same = (entry for entry in queue.entries if entry.album == album and entry.is_growing)
    return next(same, None)
