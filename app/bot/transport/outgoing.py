"""Outgoing calls at the pace that Telegram bears, and again where repeating does no harm."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import aiohttp
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramEntityTooLarge,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods.base import Response, TelegramMethod, TelegramType

from app.bot.transport.rate_limiter import RateLimiter, RateLimits

if TYPE_CHECKING:
    from aiogram import Bot

log = logging.getLogger(__name__)

_NOT_PACED = frozenset({"getUpdates", "logOut", "close"})
"""Polling has a backoff of its own."""
_QUESTIONS = "get"
"""Only what is sent or edited counts; who asks about a chat says nothing in it."""
_NOT_REPEATABLE = ("send", "forward", "copy", "post")
"""A second call of these is a second message."""
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)

_in_low_priority_slot: ContextVar[bool] = ContextVar("in_low_priority_slot", default=False)
_allow_duplicates: ContextVar[bool] = ContextVar("allow_duplicates", default=False)


class Pacer(BaseRequestMiddleware):
    """A session middleware that keeps to the rate limits and to the silence Telegram asks for.

    A call waits if it must. A silence of up to `patience_s` seconds is waited out; a longer one
    raises `TelegramRetryAfter` at once, without a request. Server errors and network failures are
    met with growing pauses and at most `attempts` tries in all, which leave some of each burst to
    others; a call that makes a message is tried again only where it surely made none. Calls without
    a chat (callback answers) and questions (getChatAdministrators) have no limit and pass at once.
    """

    def __init__(
        self,
        *,
        limits: RateLimits | None = None,
        patience_s: float = 60.0,
        attempts: int = 5,
        backoff_s: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.rate_limiter = RateLimiter(limits or RateLimits())
        self._patience_s = patience_s
        self._attempts = attempts
        self._backoff_s = backoff_s
        self._clock = clock
        self._sleep = sleep

    @contextlib.asynccontextmanager
    async def low_priority_slot(self, chat_id: int) -> AsyncIterator[None]:
        """Wait until a call to the chat delays nobody else's; the block may make one call.

        For progress: answers and results never queue behind it, and as the next edit follows
        anyway, nothing in the block is tried twice.
        """
        await self._wait_for_low_priority(chat_id)
        token = _in_low_priority_slot.set(True)
        try:
            yield
        finally:
            _in_low_priority_slot.reset(token)

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        if method.__api_method__ in _NOT_PACED:
            return await make_request(bot, method)
        if _in_low_priority_slot.get():
            return await self._request(make_request, bot, method)
        return await self._patiently(make_request, bot, method)

    async def _patiently(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        deadline = self._clock() + self._patience_s
        tries = 0
        while True:
            await self._wait_for_rate(method, deadline, is_repeat=tries > 0)
            try:
                return await self._request(make_request, bot, method)
            except TelegramRetryAfter as error:
                if self._clock() + error.retry_after > deadline:
                    raise
                # Here and not in `_wait_for_rate` alone: a call without a chat waits for no rate.
                await self._sleep(error.retry_after)
            except (TelegramNetworkError, TelegramServerError, ClientDecodeError) as error:
                tries += 1
                if tries >= self._attempts or not may_repeat(method, error):
                    raise
                await self._back_off(method, error, tries)

    async def _request(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        try:
            return await make_request(bot, method)
        except TelegramRetryAfter as error:
            log.warning("%s: asked to be silent for %d s", method.__api_method__, error.retry_after)
            self.rate_limiter.silence(_chat_of(method), error.retry_after, self._clock())
            raise

    async def _wait_for_rate(
        self, method: TelegramMethod[Any], deadline: float, *, is_repeat: bool
    ) -> None:
        chat_id = _chat_of(method)
        if chat_id is None or method.__api_method__.startswith(_QUESTIONS):
            return
        await self._sit_out_silence(method, chat_id, deadline)
        if is_repeat:
            # What Telegram refuses again and again must not use up what the chat's others need.
            await self._wait_for_low_priority(chat_id)
        else:
            # One after the other: who waits for a slow chat takes nothing of what there is for all.
            await self._sleep(self.rate_limiter.take_of_chat(chat_id, self._clock()))
            await self._sleep(self.rate_limiter.take_of_all(self._clock()))
        # While this call waited, another one may have been told to be silent.
        await self._sit_out_silence(method, chat_id, deadline)

    async def _wait_for_low_priority(self, chat_id: int | str) -> None:
        while (wait_s := self.rate_limiter.low_priority_wait_s(chat_id, self._clock())) > 0:
            await self._sleep(wait_s)
        self.rate_limiter.take_of_chat(chat_id, self._clock())
        self.rate_limiter.take_of_all(self._clock())

    async def _sit_out_silence(
        self, method: TelegramMethod[Any], chat_id: int | str, deadline: float
    ) -> None:
        while (silent_s := self.rate_limiter.silent_s(chat_id, now := self._clock())) > 0:
            if now + silent_s > deadline:
                raise TelegramRetryAfter(method, "still silent", math.ceil(silent_s))
            await self._sleep(silent_s)

    async def _back_off(self, method: TelegramMethod[Any], error: Exception, tries: int) -> None:
        pause_s = self._backoff_s * 2 ** (tries - 1) * random.uniform(0.8, 1.2)
        # The error's own text stays out of the log: it may hold an address with the token.
        log.warning("%s: %s, again in %.1f s", method.__api_method__, type(error).__name__, pause_s)
        await self._sleep(pause_s)


@contextlib.contextmanager
def allow_duplicates() -> Iterator[None]:
    """In the block a message is sent again also where it may have arrived.

    For questions: one that comes twice is answered once, one that never comes ends a conversation.
    """
    token = _allow_duplicates.set(True)
    try:
        yield
    finally:
        _allow_duplicates.reset(token)


def may_repeat(method: TelegramMethod[Any], error: Exception) -> bool:
    """Whether a second try can't do what the first may have done, or is wanted all the same."""
    if isinstance(error, TelegramEntityTooLarge):
        return False
    name = method.__api_method__
    if _allow_duplicates.get() or name == "sendChatAction" or not name.startswith(_NOT_REPEATABLE):
        return True
    # A 5xx in Telegram's own words is a refusal. A connection that broke, or a gateway's page, is
    # not: the message may be there, unless the connection was never made.
    return isinstance(error, TelegramServerError) or isinstance(error.__cause__, _NEVER_SENT)


def _chat_of(method: TelegramMethod[Any]) -> int | str | None:
    chat_id: int | str | None = getattr(method, "chat_id", None)
    return chat_id
