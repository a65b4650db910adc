"""Makes jobs of what a person asked for; from there on the reporter tells about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Protocol

from app.bot.requester import Requester
from app.jobs.interface import JobService
from app.jobs.model import Delivery, Job, JobRequest, StyleAdjustments, StyleChoice
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
        Raises one of `JobRefused`; the errors router has words for them.
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
