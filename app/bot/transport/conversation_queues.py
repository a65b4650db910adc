"""Updates on their way to the handlers: in order within a conversation, at once between them.

The pieces of an album arrive as updates of their own, and nothing says how many there are; here
they become one entry of their queue, which is handled a moment after the last piece.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.bot.transport.senders import Conversation, RawUpdate, part_of

logger = logging.getLogger(__name__)

Handle = Callable[[Sequence[RawUpdate]], Awaitable[None]]

ALBUM_PAUSE_S: Final = 0.7
MAX_ALBUM: Final = 10
MAX_IN_HAND: Final = 4000
"""Above this no more updates are fetched: Telegram keeps them better than our memory."""
MAX_PER_CONVERSATION: Final = 120
"""What one person may have lying here from one chat: a hundred pictures chosen at once and some
words."""
MAX_PER_PERSON: Final = 240
"""In all chats together."""
MAX_PER_CHAT: Final = 480
"""From all people together."""


class Outcome(enum.Enum):
    """What became of an update that was put in."""

    TAKEN = enum.auto()
    FIRST_REFUSED = enum.auto()
    """There is no room for it, and nobody has heard of that yet."""
    REFUSED = enum.auto()


@dataclass(frozen=True, slots=True)
class _Scope:
    """A chat, or a person: whatever has only so much room."""

    kind: str
    id: int | None


@dataclass(slots=True)
class _Entry:
    """One update, or the pieces of one album."""

    updates: list[RawUpdate]
    senders: list[int | None]
    album: str | None = None
    ready_at: float = 0.0

    @property
    def is_growing(self) -> bool:
        return self.album is not None and len(self.updates) < MAX_ALBUM


@dataclass(slots=True)
class _ConversationQueue:
    entries: deque[_Entry] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None


class _Room:
    """Who has how much lying here, and whether there may be more.

    Nobody gets more than is still free: a conversation of what its chat and its sender may have, a
    chat or a person of what there is for all (the "dynamic threshold" of shared-memory switches,
    Choudhury & Hahne 1998). However many flood, each leaves as much as it takes, and whoever has
    nothing here yet comes in.
    """

    def __init__(self) -> None:
        self._counts: Counter[_Scope | Conversation] = Counter()
        self._told: set[_Scope] = set()
        self.taken = 0

    def refusal(self, conversation: Conversation, sender: int | None) -> _Scope | None:
        """The chat or the person that has too much here already; None if there is room."""
        chat, person = _Scope("chat", conversation.chat_id), _Scope("person", sender)
        own = self._counts[conversation]
        free = max(1, MAX_IN_HAND - self.taken)
        if own >= MAX_PER_CHAT - self._counts[chat] or self._counts[chat] >= free:
            return chat
        if sender is not None and (
            own >= MAX_PER_PERSON - self._counts[person] or self._counts[person] >= free
        ):
            return person
        if own >= MAX_PER_CONVERSATION:
            return chat if sender is None else person
        return None

    def is_news(self, scope: _Scope) -> bool:
        """Whether this is the first refusal since the scope last had nothing here; notes it."""
        if scope in self._told:
            return False
        self._told.add(scope)
        return True

    def take(self, conversation: Conversation, sender: int | None) -> None:
        self.taken += 1
        self._counts.update(_scopes(conversation, sender))

    def give_back(self, conversation: Conversation, sender: int | None) -> None:
        self.taken -= 1
        for scope in _scopes(conversation, sender):
            self._counts[scope] -= 1
            if not self._counts[scope]:
                del self._counts[scope]
                self._told.discard(scope)


class ConversationQueues:
    """One queue for each person in each chat, for as long as there is something in it."""

    def __init__(self, handle: Handle, *, album_pause_s: float = ALBUM_PAUSE_S) -> None:
        self._handle = handle
        self._album_pause_s = album_pause_s
        self._queues: dict[Conversation, _ConversationQueue] = {}
        self._held: Counter[int] = Counter()
        self._let_go = asyncio.Event()
        self._room = _Room()
        self._has_room = asyncio.Event()
        self._has_room.set()

    def put(
        self, conversation: Conversation, update: RawUpdate, *, sender: int | None = None
    ) -> Outcome:
        """Queue an update; returns at once. Nobody handles what is refused.

        `sender` is the person whose share it takes, where that is another than the conversation's.
        """
        sender = conversation.user_id if sender is None else sender
        if (scope := self._room.refusal(conversation, sender)) is not None:
            return Outcome.FIRST_REFUSED if self._room.is_news(scope) else Outcome.REFUSED
        self._room.take(conversation, sender)
        self._look_for_room()
        queue = self._queues.setdefault(conversation, _ConversationQueue())
        album = part_of(update, "message").get("media_group_id")
        entry = _growing(queue, album) if album else None
        if entry is None:
            queue.entries.append(entry := _Entry([], [], album))
        entry.updates.append(update)
        entry.senders.append(sender)
        if album:
            entry.ready_at = asyncio.get_running_loop().time() + self._album_pause_s
        if queue.task is None:
            queue.task = asyncio.create_task(self._run(conversation, queue))
        return Outcome.TAKEN

    @contextlib.asynccontextmanager
    async def emptied(self, user_id: int) -> AsyncIterator[None]:
        """Drop what a person has lying here and cut their handlers short, but not the caller's own.

        What they say during the block waits for its end.
        """
        self._held[user_id] += 1
        try:
            await self._empty(user_id)
            yield
        finally:
            self._held[user_id] -= 1
            self._held += Counter()  # zeros go
            self._let_go.set()
            self._let_go = asyncio.Event()

    def is_waiting(self, user_id: int) -> bool:
        """Whether this person said something that no handler has begun with."""
        return any(queue.entries for _, queue in self._queues_of(user_id))

    async def _empty(self, user_id: int) -> None:
        cut_short = []
        for conversation, queue in self._queues_of(user_id):
            while queue.entries:
                self._give_back(conversation, queue.entries.popleft())
            if queue.task is not None and queue.task is not asyncio.current_task():
                queue.task.cancel()
                cut_short.append(queue.task)
        await asyncio.gather(*cut_short, return_exceptions=True)

    def _queues_of(self, user_id: int) -> list[tuple[Conversation, _ConversationQueue]]:
        return [(key, queue) for key, queue in self._queues.items() if key.user_id == user_id]

    async def room(self) -> None:
        """Wait until more updates may come in."""
        await self._has_room.wait()

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

    async def _run(self, conversation: Conversation, queue: _ConversationQueue) -> None:
        try:
            while queue.entries:
                await self._until_complete(queue.entries[0])
                while conversation.user_id in self._held:
                    await self._let_go.wait()
                # From here on a late piece starts an entry of its own instead of being lost.
                entry = queue.entries.popleft()
                try:
                    await self._handle(entry.updates)
                except Exception:
                    # Those behind it must not suffer for it.
                    logger.exception("a conversation failed")
                finally:
                    self._give_back(conversation, entry)
        finally:
            for entry in queue.entries:
                self._give_back(conversation, entry)
            del self._queues[conversation]

    async def _until_complete(self, entry: _Entry) -> None:
        loop = asyncio.get_running_loop()
        # Every further piece moves the moment, so there is no one event to wait for.
        while entry.is_growing and (left_s := entry.ready_at - loop.time()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left_s)

    def _give_back(self, conversation: Conversation, entry: _Entry) -> None:
        for sender in entry.senders:
            self._room.give_back(conversation, sender)
        self._look_for_room()

    def _look_for_room(self) -> None:
        if self._room.taken < MAX_IN_HAND:
            self._has_room.set()
        else:
            self._has_room.clear()


def _scopes(conversation: Conversation, sender: int | None) -> Iterator[_Scope | Conversation]:
    yield conversation
    yield _Scope("chat", conversation.chat_id)
    if sender is not None:
        yield _Scope("person", sender)


def _growing(queue: _ConversationQueue, album: object) -> _Entry | None:
    same = (entry for entry in queue.entries if entry.album == album and entry.is_growing)
    return next(same, None)
