"""What is made of a result when its owner asks for it: a comparison with the photo, a film.

It is made beside the conversation, which goes on meanwhile, and comes in reply to the result.
"""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.filters.callback_data import CallbackData
from aiogram.types import BufferedInputFile, InputMediaPhoto, InputMediaVideo, MediaUnion
from aiogram.utils.i18n import gettext as _

from app.bot.job_message.captions import Captions
from app.bot.job_message.status_message import UPLOAD_TIMEOUT_S
from app.bot.requester import Requester, as_reply
from app.bot.ui.callback_data import JobId
from app.jobs.model import Job
from app.pictures.comparison import compare
from app.pictures.film import film_of
from app.pictures.frames import frames_file

logger = logging.getLogger(__name__)

MAX_PER_PERSON: Final = 3
"""So many are made, or wait to be made, for one person at a time."""


class Extra(enum.StrEnum):
    """What can be made; the values travel in callback data."""

    COMPARISON = "compare"
    FILM = "film"


class ExtraCallback(CallbackData, prefix="extra"):
    """A button under a result: make this of it."""

    extra: Extra
    job_id: JobId


class Begun(enum.Enum):
    """What became of a wish."""

    YES = enum.auto()
    ALREADY = enum.auto()
    """The very same is being made."""
    TOO_MANY = enum.auto()


@dataclass(frozen=True, slots=True)
class _Order:
    """One wish; the same one is fulfilled once at a time."""

    user_id: int
    extra: Extra
    job_id: int


class Extras:
    """Makes one thing at a time, so that a crowd's wishes leave the processor to the painter."""

    def __init__(self, bot: Bot, captions: Captions) -> None:
        self._bot = bot
        self._captions = captions
        self._room = asyncio.Semaphore(1)
        self._tasks: dict[_Order, asyncio.Task[None]] = {}

    def begin(self, extra: Extra, jobs: Sequence[Job], requester: Requester) -> Begun:
        """Have it made of the jobs' results and sent, in the current language; returns at once."""
        order = _Order(requester.user_id, extra, jobs[0].id)
        if order in self._tasks:
            return Begun.ALREADY
        if sum(each.user_id == order.user_id for each in self._tasks) >= MAX_PER_PERSON:
            return Begun.TOO_MANY
        self._tasks[order] = asyncio.create_task(self._fulfil(order, jobs, requester))
        return Begun.YES

    async def close(self) -> None:
        """Nothing of it is owed after a restart: its button is still there."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fulfil(self, order: _Order, jobs: Sequence[Job], requester: Requester) -> None:
        facts = {"job": order.job_id, "extra": order.extra.value}
        try:
            async with self._room:
                media = await asyncio.to_thread(self._media, order.extra, jobs)
            if await _are_there(jobs):  # deleted meanwhile, it must not come back
                await self._send(media, requester)
        except Exception as error:
            reason = type(error).__name__
            logger.warning("an extra did not come", extra=facts | {"error": reason})
            if await _are_there(jobs):
                await self._apologise(order.extra, requester)
        finally:
            del self._tasks[order]

    def _media(self, extra: Extra, jobs: Sequence[Job]) -> list[MediaUnion]:
        """Blocking: one for each job."""
        made = [(MAKERS[extra](job), _CAPTION[extra](self._captions, job)) for job in jobs]
        return [
            media.model_copy(update={"caption": caption, "parse_mode": None})
            for media, caption in made
        ]

    async def _send(self, media: Sequence[MediaUnion], requester: Requester) -> None:
        where: dict[str, Any] = {
            "message_thread_id": requester.thread_id,
            "reply_parameters": as_reply(requester.message_id),
            "request_timeout": UPLOAD_TIMEOUT_S,
        }
        if len(media) > 1:
            await self._bot.send_media_group(requester.chat_id, list(media), **where)
            return
        where |= {"caption": media[0].caption, "parse_mode": None}
        if isinstance(film := media[0], InputMediaVideo):
            facts = film.model_dump(include={"width", "height", "duration", "supports_streaming"})
            await self._bot.send_video(requester.chat_id, film.media, **facts, **where)
        else:
            await self._bot.send_photo(requester.chat_id, media[0].media, **where)

    async def _apologise(self, extra: Extra, requester: Requester) -> None:
        try:
            await self._bot.send_message(
                requester.chat_id,
                _SORRY[extra](),
                message_thread_id=requester.thread_id,
                reply_parameters=as_reply(requester.message_id),
            )
        except AiogramError as error:
            logger.warning("an apology did not go out", extra={"error": type(error).__name__})


async def _are_there(jobs: Sequence[Job]) -> bool:
    """Whether the results are still on the disk."""
    return await asyncio.to_thread(
        lambda: all(job.result is not None and job.result.is_file() for job in jobs)
    )


def _comparison(job: Job) -> MediaUnion:
    assert job.result is not None  # noqa: S101 - the buttons stand under results alone
    data = compare(job.request.content, job.result)
    return InputMediaPhoto(media=BufferedInputFile(data, f"before-after-{job.id}.jpg"))


def _film(job: Job) -> MediaUnion:
    assert job.result is not None  # noqa: S101 - the buttons stand under results alone
    film = film_of(job.request.content, frames_file(job.result), job.result)
    return InputMediaVideo(
        media=BufferedInputFile(film.data, f"film-{job.id}.mp4"),
        width=film.width_px,
        height=film.height_px,
        duration=round(film.seconds),
        supports_streaming=True,
    )


MAKERS: dict[Extra, Callable[[Job], MediaUnion]] = {
    Extra.COMPARISON: _comparison,
    Extra.FILM: _film,
}
_CAPTION: dict[Extra, Callable[[Captions, Job], str]] = {
    Extra.COMPARISON: Captions.compared,
    Extra.FILM: Captions.filmed,
}
_SORRY: dict[Extra, Callable[[], str]] = {
    Extra.COMPARISON: lambda: _("I could not put the two side by side, sorry. The painting stays."),
    Extra.FILM: lambda: _("I could not make the film, sorry. The painting stays."),
}
