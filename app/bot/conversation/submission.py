"""Makes jobs of what a person asked for; from there on the reporter tells about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final, Protocol

from app.bot.conversation.draft_order import SentClip
from app.bot.requester import Requester
from app.jobs.interface import JobService
from app.jobs.model import Clip, Delivery, Job, JobRequest, StyleAdjustments, StyleChoice
from models.clips.interface import ClipKind
from models.interface import StyleOptions
from styles.catalog import Catalog, Preset

MAX_NOTE_PX: Final = 512
"""Telegram takes no video note of 640 px, and shows it smaller than this."""


class PreferencesReader(Protocol):
    """What a person has set; `app.bot.preferences` keeps it."""

    async def options(self, user_id: int, preset: Preset | None = None) -> StyleOptions:
        """The person's options; what the person left open is as the preset suggests."""
        ...

    async def delivery(self, user_id: int) -> Delivery: ...

    async def language(self, user_id: int) -> str | None:
        """The language the person has chosen, if any."""
        ...


class JobSubmission:
    """Where every new painting begins: a chosen style, a pair of pictures, an album."""

    def __init__(
        self,
        *,
        job_service: JobService,
        preferences: PreferencesReader,
        catalog: Catalog,
        clip_size_px: Callable[[], int],
    ) -> None:
        """`clip_size_px` is the long side that clips are painted at, at most."""
        self._job_service = job_service
        self._clip_size_px = clip_size_px
        self._preferences = preferences
        self._catalog = catalog

    async def paint(
        self,
        requester: Requester,
        contents: Sequence[Path | SentClip],
        styles: Sequence[StyleChoice],
        adjustments: StyleAdjustments | None = None,
    ) -> list[Job]:
        """Accept one job per photo or clip; durable when it returns.

        Several photos are one album. A clip comes by itself: no album takes all kinds of them.

        `adjustments` are those of an earlier picture in these styles; without them the person's
        preferences and the preset's hints decide.

        Nothing is sent here: the reporter tells of the job and of its place in the queue.
        Raises one of `JobRefused`; the errors router has words for them.
        """
        requests = await self._requests(requester, contents, styles, adjustments)
        return await self._job_service.submit(*requests)

    async def _requests(
        self,
        requester: Requester,
        contents: Sequence[Path | SentClip],
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
        photos = sum(isinstance(content, Path) for content in contents)
        request = JobRequest(
            origin=requester.origin,
            user_id=requester.user_id,
            chat_id=requester.chat_id,
            language=requester.language,
            content=Path(),
            styles=tuple(styles),
            options=options,
            delivery=delivery,
            thread_id=requester.thread_id,
            reply_to=requester.reply_to,
        )
        photo = replace(
            request, album=requester.origin if photos > 1 else None, album_size=max(photos, 1)
        )
        # The same kind comes back as was sent, whatever is wished for photos.
        clip = replace(request, delivery=Delivery.PHOTO)
        return [
            replace(
                clip,
                origin=f"{requester.origin}:{number}",
                content=each.path,
                clip=each.clip,
                options=replace(options, size_px=self._clip_size(options, each.clip)),
            )
            if isinstance(each, SentClip)
            else replace(photo, origin=f"{requester.origin}:{number}", content=each)
            for number, each in enumerate(contents)
        ]

    def _clip_size(self, options: StyleOptions, clip: Clip) -> int:
        is_note = clip.kind is ClipKind.VIDEO_NOTE
        return min(options.size_px, self._clip_size_px(), *([MAX_NOTE_PX] if is_note else []))
