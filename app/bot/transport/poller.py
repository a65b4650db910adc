"""Fetches updates and sees each of them through to its handler, whatever happens to the process.

aiogram's own polling confirms an update when its handler starts and drops the handlers that run
when the process ends. Here an update is on the disk before Telegram may forget it, and until its
handler has come to an end.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final

from aiogram import Bot, Dispatcher
from aiogram.exceptions import (
    AiogramError,
    TelegramConflictError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod
from aiogram.types import Update, User
from aiogram.utils.backoff import Backoff, BackoffConfig
from pydantic import ValidationError

from app.bot.transport.conversation_queues import ConversationQueues, Outcome
from app.bot.transport.inbox import Inbox
from app.bot.transport.senders import (
    RawUpdate,
    conversation_of,
    sender_of,
    with_real_sender,
)
from app.storage.database import DamagedDatabaseError

logger = logging.getLogger(__name__)

LONG_POLL_S: Final = 25
_REQUEST_TIMEOUT_S: Final = LONG_POLL_S + 15
_BACKOFF: Final = BackoffConfig(min_delay=1.0, max_delay=30.0, factor=1.7, jitter=0.1)

WRONG_TOKEN: Final = (TelegramUnauthorizedError, TelegramNotFound)
"""Telegram answers 401 to a token it doesn't know any more and 404 to one that never was."""


_REFUSALS_BELIEVED: Final = 5
"""So many in a row, over some ten seconds: a proxy or a deploy of Telegram's may answer one."""
_MAX_UPDATE_ID: Final = 2**63 - 1


class GetRawUpdates(TelegramMethod[list[Any]]):
    """getUpdates without a model: one update that aiogram can't read must not block the others."""

    __returning__ = list[Any]
    __api_method__ = "getUpdates"

    offset: int | None = None
    timeout: int = LONG_POLL_S
    allowed_updates: list[str] | None = None


async def wait_for_telegram(bot: Bot) -> User:
    """Wait until Telegram answers and say who we are. Raises one of `WRONG_TOKEN`."""
    backoff = Backoff(_BACKOFF)
    while True:
        try:
            # A webhook that somebody set would keep all updates away from polling.
            await bot.delete_webhook()
            return await bot.me()
        except WRONG_TOKEN:
            raise
        except AiogramError as error:
            await _wait(error, backoff, "Telegram can't be reached")


class Poller:
    """The way of an update: getUpdates, inbox, conversation queue, dispatcher, done."""

    def __init__(self, bot: Bot, dispatcher: Dispatcher, inbox: Inbox) -> None:
        self._bot = bot
        self._dispatcher = dispatcher
        self._inbox = inbox
        self._queues = ConversationQueues(self._handle)
        self._notices: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Poll until cancelled. Raises one of `WRONG_TOKEN` when it is said again and again."""
        await self._enqueue(await self._inbox.unhandled())
        backoff, refusals = Backoff(_BACKOFF), 0
        request = GetRawUpdates(allowed_updates=self._dispatcher.resolve_used_update_types())
        while True:
            await self._queues.room()
            try:
                batch = await self._bot(request, request_timeout=_REQUEST_TIMEOUT_S)
            except AiogramError as error:
                refusals = refusals + 1 if isinstance(error, WRONG_TOKEN) else 0
                if refusals == _REFUSALS_BELIEVED:
                    raise
                await _wait(error, backoff, "no updates")
                continue
            refusals = 0
            numbered = [raw for raw in batch if _has_number(raw)]
            updates = [raw for raw in numbered if _can_be_kept(raw)]
            if len(updates) < len(batch):
                _log_unreadable(batch, updates)
            if batch and not numbered:
                await asyncio.sleep(max(0.1, next(backoff)))  # it would come again at once
                continue
            backoff.reset()
            await self._enqueue(await self._inbox.take_in(updates))
            if numbered:
                # Also past what can't be kept: it would come again and again.
                request.offset = max(raw["update_id"] for raw in numbered) + 1

    @contextlib.asynccontextmanager
    async def silenced(self, user_id: int) -> AsyncIterator[None]:
        """Drop what a person has said and nobody has answered yet, but for the caller's update.

        Other handlers of theirs are cut short; what they say during the block waits for its end.
        Nothing is deleted from the inbox.
        """
        async with self._queues.emptied(user_id):
            yield

    def has_more_of(self, user_id: int) -> bool:
        """Whether something that this person said waits for a handler."""
        return self._queues.is_waiting(user_id)

    async def close(self, timeout_s: float) -> None:
        """Let handlers finish; the others' updates are handled after the next start."""
        for notice in self._notices:
            notice.cancel()
        await self._queues.close(timeout_s)

    async def _enqueue(self, raws: Iterable[RawUpdate]) -> None:
        refused = []
        for raw in map(with_real_sender, raws):
            outcome = self._queues.put(conversation_of(raw), raw, sender=sender_of(raw))
            if outcome is not Outcome.TAKEN:
                refused.append(raw["update_id"])
            if outcome is Outcome.FIRST_REFUSED:
                self._tell_of_excess(raw)
        if refused:
            await self._inbox.handled(refused)

    def _tell_of_excess(self, raw: RawUpdate) -> None:
        logger.warning("a flood is cut off", extra={"update": raw["update_id"]})
        # Not in its queue, which is full: the chat may be slow to take even this one sentence.
        notice = asyncio.create_task(self._feed([raw], is_excess=True))
        self._notices.add(notice)
        notice.add_done_callback(self._notices.discard)

    async def _handle(self, raws: Sequence[RawUpdate]) -> None:
        """Hand one update, or one album, to its handler."""
        numbers = [raw["update_id"] for raw in raws]
        # Whoever opened the database hears of damage too, and ends the process.
        with contextlib.suppress(DamagedDatabaseError):
            await self._inbox.started(numbers)
            try:
                await self._feed(raws)
            except (asyncio.CancelledError, DamagedDatabaseError):
                # They are handled again after the next start.
                await self._inbox.put_back(numbers)
                raise
            await self._inbox.handled(numbers)

    async def _feed(self, raws: Sequence[RawUpdate], *, is_excess: bool = False) -> None:
        updates = [update for raw in raws if (update := self._read(raw)) is not None]
        if not updates:
            return
        album = tuple(update.message for update in updates if update.message)
        about = {"album": album, "is_excess": is_excess}
        try:
            await self._dispatcher.feed_update(self._bot, updates[0], **about)
        except DamagedDatabaseError:
            raise
        except Exception:
            logger.exception("an update failed", extra={"update": updates[0].update_id})

    def _read(self, raw: RawUpdate) -> Update | None:
        try:
            return Update.model_validate(raw, context={"bot": self._bot})
        except ValidationError as error:
            # The fields' names only: what stands in them was said by somebody.
            fields = [".".join(map(str, each["loc"])) for each in error.errors()]
            facts = {"update": raw["update_id"], "fields": fields}
            logger.error("an update can't be read", extra=facts)
            return None


def _has_number(raw: object) -> bool:
    """Whether it can be confirmed to Telegram, and known again."""
    update_id = raw.get("update_id") if isinstance(raw, dict) else None
    return type(update_id) is int and 0 <= update_id < _MAX_UPDATE_ID


def _can_be_kept(raw: RawUpdate) -> bool:
    """Whether it is something that JSON can say."""
    try:
        json.dumps(raw, allow_nan=False)
    except (ValueError, RecursionError):
        return False
    return True


def _log_unreadable(batch: Sequence[Any], kept: Sequence[RawUpdate]) -> None:
    # The numbers only: what else stands in them was said by somebody.
    known = {raw["update_id"] for raw in kept}
    numbers = [raw["update_id"] for raw in batch if _has_number(raw)]
    left_out = [number for number in numbers if number not in known]
    facts = {"updates": left_out} if left_out else {}
    logger.error("%d updates can't be read", len(batch) - len(kept), extra=facts)


async def _wait(error: AiogramError, backoff: Backoff, what: str) -> None:
    """Sleep before the next try and say why."""
    pause_s = max(0.1, next(backoff))
    if isinstance(error, TelegramRetryAfter):
        pause_s = max(pause_s, error.retry_after)
    if isinstance(error, TelegramConflictError):
        what = "another bot runs with the same token"
    logger.warning("%s (%s); again in %.1f s", what, type(error).__name__, pause_s)
    await asyncio.sleep(pause_s)
