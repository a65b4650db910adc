from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.middlewares.base import NextRequestMiddlewareType
from aiogram.exceptions import (
    TelegramEntityTooLarge,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import (
    AnswerCallbackQuery,
    EditMessageText,
    GetChatAdministrators,
    GetFile,
    GetUpdates,
    SendMessage,
    TelegramMethod,
)

from app.bot.transport.outgoing import Pacer
from app.bot.transport.rate_limiter import Rate, RateLimits
from tests.patience import PATIENCE_S

ANNA, BEN, CLEO, GROUP = 1, 2, 3, -100
Outcome = Exception | Callable[[TelegramMethod[Any]], Exception] | None


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        wake_at = self.now + max(0.0, seconds)
        while self.now < wake_at:
            await asyncio.sleep(0)
            self.now = max(self.now, min(wake_at, self.now + 0.25))


class Telegram:
    """The far end of the middleware: notes each call and answers as the script says."""

    def __init__(self, clock: Clock, *outcomes: Outcome) -> None:
        self.clock = clock
        self.outcomes = list(outcomes)
        self.calls: list[tuple[float, str]] = []

    async def __call__(self, bot: Bot, method: TelegramMethod[Any]) -> Any:
        self.calls.append((self.clock.now, method.__api_method__))
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome if isinstance(outcome, Exception) else outcome(method)

    @property
    def times(self) -> list[float]:
        return [round(at, 1) for at, _ in self.calls]


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pacer_of(clock: Clock, *, limits: RateLimits | None = None, patience_s: float = 60) -> Pacer:
    return Pacer(limits=limits, patience_s=patience_s, clock=clock, sleep=clock.sleep)


async def call(pacer: Pacer, telegram: Telegram, method: TelegramMethod[Any]) -> None:
    nobody = cast("Bot", None)
    await pacer(cast("NextRequestMiddlewareType[Any]", telegram), nobody, method)


def send(chat_id: int = ANNA) -> SendMessage:
    return SendMessage(chat_id=chat_id, text="hello")


def edit(chat_id: int = ANNA) -> EditMessageText:
    return EditMessageText(chat_id=chat_id, message_id=1, text="hello")


def flood(seconds: int) -> Callable[[TelegramMethod[Any]], Exception]:
    return lambda method: TelegramRetryAfter(method, "Too Many Requests", seconds)


def lost(method: TelegramMethod[Any]) -> Exception:
    return TelegramNetworkError(method, "ServerDisconnectedError")


def unreachable(method: TelegramMethod[Any]) -> Exception:
    error = TelegramNetworkError(method, "ClientConnectorError")
    key = cast("Any", None)
    error.__cause__ = aiohttp.ClientConnectorDNSError(key, OSError("no route"))
    return error


def bad_gateway(method: TelegramMethod[Any]) -> Exception:
    return TelegramServerError(method, "Bad Gateway")


async def test_a_chat_gets_a_burst_and_then_its_rate(clock: Clock) -> None:
    telegram = Telegram(clock)
    pacer = pacer_of(clock, limits=RateLimits(private=Rate(per_minute=60, burst=3)))
    for _ in range(6):
        await call(pacer, telegram, send())
    assert telegram.times == [0, 0, 0, 1, 2, 3]


async def test_a_rest_earns_the_burst_again(clock: Clock) -> None:
    telegram = Telegram(clock)
    pacer = pacer_of(clock, limits=RateLimits(private=Rate(per_minute=60, burst=2)))
    for _ in range(3):
        await call(pacer, telegram, send())
    await clock.sleep(30)
    telegram.calls.clear()
    for _ in range(3):
        await call(pacer, telegram, send())
    assert telegram.times == [31, 31, 32]


async def test_groups_are_slower_than_people(clock: Clock) -> None:
    telegram = Telegram(clock)
    pacer = pacer_of(clock)
    for _ in range(30):
        await call(pacer, telegram, send(GROUP))
    assert clock.now >= (30 - RateLimits().group.burst) * 3 - 0.2


async def test_all_chats_share_one_rate(clock: Clock) -> None:
    telegram = Telegram(clock)
    pacer = pacer_of(clock, limits=RateLimits(everywhere=Rate(per_minute=60, burst=2)))
    for chat_id in range(1, 6):
        await call(pacer, telegram, send(chat_id))
    assert telegram.times == [0, 0, 1, 2, 3]


async def test_who_waits_for_a_slow_chat_takes_nothing_of_all() -> None:
    async def sleep(seconds: float) -> None:
        if seconds > 0:
            await asyncio.Event().wait()  # time stands still

    clock = Clock()
    telegram, limits = Telegram(clock), RateLimits(everywhere=Rate(per_minute=1, burst=50))
    pacer = Pacer(limits=limits, clock=clock, sleep=sleep)
    crowd = [asyncio.create_task(call(pacer, telegram, send(GROUP))) for _ in range(100)]
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        await call(pacer, telegram, send(ANNA))
    for waiting in crowd:
        waiting.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)


async def test_callback_answers_and_questions_pass_at_once(clock: Clock) -> None:
    telegram = Telegram(clock)
    pacer = pacer_of(clock, limits=RateLimits(everywhere=Rate(per_minute=1, burst=1)))
    await call(pacer, telegram, send())
    for _ in range(50):
        await call(pacer, telegram, AnswerCallbackQuery(callback_query_id="7"))
        await call(pacer, telegram, GetChatAdministrators(chat_id=GROUP))
    assert clock.now == 0


async def test_a_short_silence_is_waited_out_and_holds_for_the_whole_chat(clock: Clock) -> None:
    telegram = Telegram(clock, flood(20))
    pacer = pacer_of(clock)
    others = [call(pacer, telegram, send()), call(pacer, telegram, edit())]
    await asyncio.gather(call(pacer, telegram, send()), *others)
    assert telegram.times[0] == 0
    assert all(at >= 20 for at in telegram.times[-3:])


async def test_silence_is_kept_by_a_call_that_belongs_to_no_chat(clock: Clock) -> None:
    telegram = Telegram(clock, flood(20), flood(10))
    await call(pacer_of(clock), telegram, GetFile(file_id="7"))
    assert telegram.times == [0, 20, 30]


async def test_other_chats_are_not_silenced(clock: Clock) -> None:
    telegram = Telegram(clock, flood(20))
    pacer = pacer_of(clock)
    waiting = asyncio.create_task(call(pacer, telegram, send(ANNA)))
    await asyncio.sleep(0)
    await call(pacer, telegram, send(BEN))
    assert clock.now < 20
    await waiting


async def test_a_long_silence_is_told_and_no_request_breaks_it(clock: Clock) -> None:
    telegram = Telegram(clock, flood(130))
    pacer = pacer_of(clock, patience_s=60)
    with pytest.raises(TelegramRetryAfter):
        await call(pacer, telegram, send())
    await clock.sleep(30)
    with pytest.raises(TelegramRetryAfter) as caught:
        await call(pacer, telegram, edit())
    assert 95 <= caught.value.retry_after <= 100
    assert len(telegram.calls) == 1


async def test_a_429_in_many_chats_at_once_silences_all(clock: Clock) -> None:
    telegram = Telegram(clock, flood(100), flood(100), flood(100))
    pacer = pacer_of(clock, patience_s=10)
    for chat_id in (ANNA, BEN, CLEO):
        with pytest.raises(TelegramRetryAfter):
            await call(pacer, telegram, send(chat_id))
    with pytest.raises(TelegramRetryAfter):
        await call(pacer, telegram, send(4))
    assert len(telegram.calls) == 3


@pytest.mark.parametrize("trouble", [lost, unreachable, bad_gateway])
async def test_an_edit_is_repeated_with_growing_pauses(
    clock: Clock, trouble: Callable[[TelegramMethod[Any]], Exception]
) -> None:
    telegram = Telegram(clock, trouble, trouble, trouble)
    await call(pacer_of(clock), telegram, edit())
    pauses = [b - a for a, b in zip(telegram.times, telegram.times[1:], strict=False)]
    assert len(pauses) == 3
    assert pauses == sorted(pauses)
    assert pauses[0] > 0


@pytest.mark.parametrize("trouble", [unreachable, bad_gateway])
async def test_a_message_that_surely_was_not_sent_is_sent_again(
    clock: Clock, trouble: Callable[[TelegramMethod[Any]], Exception]
) -> None:
    telegram = Telegram(clock, trouble)
    await call(pacer_of(clock), telegram, send())
    assert len(telegram.calls) == 2


async def test_a_message_that_may_have_been_sent_is_not_sent_again(clock: Clock) -> None:
    telegram = Telegram(clock, lost)
    with pytest.raises(TelegramNetworkError):
        await call(pacer_of(clock), telegram, send())
    assert len(telegram.calls) == 1


async def test_a_file_that_is_too_large_stays_too_large(clock: Clock) -> None:
    telegram = Telegram(clock, lambda method: TelegramEntityTooLarge(method, "too large"))
    with pytest.raises(TelegramEntityTooLarge):
        await call(pacer_of(clock), telegram, edit())
    assert len(telegram.calls) == 1


async def test_trouble_without_end_is_told_in_the_end(clock: Clock) -> None:
    telegram = Telegram(clock, *[lost] * 100)
    with pytest.raises(TelegramNetworkError):
        await call(pacer_of(clock), telegram, edit())
    assert len(telegram.calls) < 10


async def test_what_is_repeated_leaves_the_chat_to_the_others(clock: Clock) -> None:
    refused, answered = Telegram(clock, *[bad_gateway] * 4), Telegram(clock)
    pacer = pacer_of(clock)
    repeated = asyncio.create_task(call(pacer, refused, edit(GROUP)))
    await asyncio.sleep(0)
    for _ in range(10):
        await call(pacer, answered, send(GROUP))
    assert answered.times[-1] == 24
    await repeated


async def test_polling_is_left_alone(clock: Clock) -> None:
    telegram = Telegram(clock, lost)
    with pytest.raises(TelegramNetworkError):
        await call(pacer_of(clock), telegram, GetUpdates())
    assert len(telegram.calls) == 1


async def test_progress_leaves_room_for_answers(clock: Clock) -> None:
    telegram = Telegram(clock)
    pacer = pacer_of(clock, limits=RateLimits(everywhere=Rate(per_minute=60, burst=4)))

    async def progress(chat_id: int) -> None:
        async with pacer.low_priority_slot(chat_id):
            await call(pacer, telegram, edit(chat_id))

    edits = [asyncio.create_task(progress(chat_id)) for chat_id in range(1, 20)]
    await asyncio.sleep(0)
    asked_at = clock.now
    await call(pacer, telegram, send(77))
    assert clock.now == asked_at
    assert len(telegram.calls) < 5
    await asyncio.gather(*edits)
    assert len(telegram.calls) == 20


async def test_progress_keeps_silent_when_asked_to_and_is_not_repeated(clock: Clock) -> None:
    telegram = Telegram(clock, flood(40), lost)
    pacer = pacer_of(clock)
    for trouble in (TelegramRetryAfter, TelegramNetworkError):
        with pytest.raises(trouble):
            async with pacer.low_priority_slot(ANNA):
                await call(pacer, telegram, edit())
    assert telegram.times[0] == 0
    assert telegram.times[1] >= 40
    assert len(telegram.calls) == 2


async def test_memory_stays_flat_over_many_chats(clock: Clock) -> None:
    telegram = Telegram(clock)
    pacer = pacer_of(clock, limits=RateLimits(everywhere=Rate(per_minute=6e7, burst=1000)))
    for chat_id in range(1, 5000):
        clock.now += 0.01
        await call(pacer, telegram, send(chat_id))
    assert len(pacer.rate_limiter) < 2000
