"""Makes jobs of what a person asked for; from there on the reporter tells about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol, Self

from aiogram.types import CallbackQuery, Message

from app.bot.job_message.variations import StyleAdjustments
from app.jobs.interface import JobService
from app.jobs.model import Delivery, Job, JobRequest, StyleChoice
from models.interface import StyleOptions
from styles.catalog import Catalog, Preset


class PreferencesReader(Protocol):
    """What a person has set; `app.bot.preferences` keeps it."""

    async def options(self, user_id: int, preset: Preset | None = None) -> StyleOptions:
        """The person's options; what the person left open is as the preset suggests."""
        ...

    async def delivery(self, user_id: int) -> Delivery: ...

    async def language(self, user_id: int) -> str | None:
        """The language the person has chosen, if any."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """Who asked for something, where and by which message or button."""

    origin: str
    user_id: int
    chat_id: int
    language: str
    thread_id: int | None = None
    reply_to: int | None = None

    @classmethod
    def of(cls, event: Message | CallbackQuery, *, language: str) -> Self:
        """Read them off a message or a pressed button. Raises ValueError if nobody sent it."""
        message = event if isinstance(event, Message) else event.message
        if event.from_user is None or message is None:
            raise ValueError("it comes from no person or no chat")
        in_topic = isinstance(message, Message) and message.is_topic_message
        return cls(
            # Not the update's number: after an idle week those start again anywhere.
            origin=(
                f"message:{message.chat.id}:{message.message_id}"
                if isinstance(event, Message)
                else f"button:{event.id}"
            ),
            user_id=event.from_user.id,
            chat_id=message.chat.id,
            language=language,
            thread_id=getattr(message, "message_thread_id", None) if in_topic else None,
            reply_to=None if message.chat.type == "private" else message.message_id,
        )


class JobSubmission:
    """Where every new painting begins: a chosen style, a pair of pictures, an album."""

    def __init__(
        self, *, job_service: JobService, preferences: PreferencesReader, catalog: Catalog
    ) -> None:
        self._job_service = job_service
        self._preferences = preferences
        self._catalog = catalog

    async def paint(
        self,
        requester: Requester,
        photos: Sequence[Path],
        styles: Sequence[StyleChoice],
        adjustments: StyleAdjustments | None = None,
    ) -> list[Job]:
        """Accept one job per photo, several as one album; durable when it returns.

        `adjustments` are those of an earlier picture in these styles; without them the person's
        preferences and the preset's hints decide.

        Nothing is sent here: the reporter tells of the job and of its place in the queue.
        Raises `QueueFull`, `TooManyJobs`, `ClosingDown`; the errors router has words for them.
        """
        requests = await self._requests(requester, photos, styles, adjustments)
        return await self._job_service.submit(*requests)

    async def _requests(
        self,
        requester: Requester,
        photos: Sequence[Path],
        styles: Sequence[StyleChoice],
        adjustments: StyleAdjustments | None,
    ) -> list[JobRequest]:
        # A preset's hints are meant for it alone, not for a mixture.
        slug = styles[0].preset if len(styles) == 1 else None
        options = await self._preferences.options(
            requester.user_id, self._catalog.get(slug) if slug else None
        )
        if adjustments is not None:
            options = replace(options, **asdict(adjustments))
        delivery = await self._preferences.delivery(requester.user_id)
        return [
            JobRequest(
                origin=f"{requester.origin}:{number}",
                user_id=requester.user_id,
                chat_id=requester.chat_id,
                language=requester.language,
                content=photo,
                styles=tuple(styles),
                options=options,
                delivery=delivery,
                album=requester.origin if len(photos) > 1 else None,
                album_size=len(photos),
                thread_id=requester.thread_id,
                reply_to=requester.reply_to,
            )
            for number, photo in enumerate(photos)
        ]
