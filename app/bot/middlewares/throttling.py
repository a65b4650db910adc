"""A flood from one person must not drown the others: one warning, then quiet for a while."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from aiogram import BaseMiddleware
from aiogram.types import TelegramObject, Update, User
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from app.bot.transport.rate_limiter import Rate, TokenBucket

REMEMBERED_PEOPLE: Final = 1000
"""From here on those who have been quiet are forgotten, so that memory stays flat."""
MIN_PAUSE_S: Final = 10.0
"""How long the bot stays quiet at least: answering every other message would feed the flood."""


@dataclass(slots=True)
class _Person:
    bucket: TokenBucket
    quiet_until: float = 0.0


class ThrottlingMiddleware(BaseMiddleware):
    """Lets so many updates a minute of each person through, and a burst after a rest.

    Of what found no room on its way here (`is_excess`) nothing goes through; it is answered once.
    """

    def __init__(self, rate: Rate, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        # No TTLCache: who floods on must not be forgotten by age, nor pushed out by a crowd.
        self._people: dict[int, _Person] = {}

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        user: User | None = data.get("event_from_user")
        if data.get("is_excess"):
            return await _answer(event, _("That is too much at once. I skip what does not fit."))
        if user is None:
            return await handler(event, data)
        now = self._clock()
        person = self._person(user.id, now)
        is_quiet = now < person.quiet_until
        wait_s = person.bucket.wait_s(now)
        if not is_quiet and wait_s == 0:
            person.bucket.take(now)
            return await handler(event, data)
        if not is_quiet:
            person.quiet_until = now + max(wait_s, MIN_PAUSE_S)
            return await _answer(event, _warning(round(person.quiet_until - now)))
        assert isinstance(event, Update)  # noqa: S101 - registered on nothing else
        if event.callback_query is not None:
            await event.callback_query.answer()  # or the button would go on turning
        return None

    def _person(self, user_id: int, now: float) -> _Person:
        if len(self._people) > REMEMBERED_PEOPLE:
            self._people = {
                user_id: person
                for user_id, person in self._people.items()
                if not person.bucket.is_full(now) or now < person.quiet_until
            }
        return self._people.setdefault(user_id, _Person(TokenBucket(self._rate)))


def _warning(seconds: int) -> str:
    return ngettext(
        "That is more than I can read. I will listen again in {count} second.",
        "That is more than I can read. I will listen again in {count} seconds.",
        seconds,
    ).format(count=seconds)


async def _answer(event: TelegramObject, text: str) -> None:
    assert isinstance(event, Update)  # noqa: S101 - registered on nothing else
    if event.callback_query is not None:
        await event.callback_query.answer(text)
    elif event.message is not None:
        await event.message.answer(text)
