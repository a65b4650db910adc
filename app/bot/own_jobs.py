"""What a person may do with jobs of one's own, and with nobody else's."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from aiogram.types import CallbackQuery
from aiogram.utils.i18n import gettext as _

from app.bot.intake import Asker
from app.bot.variations import Variation
from app.jobs.job import Job, JobRequest, JobState
from app.jobs.ports import Studio

_CAME_TO_NOTHING = frozenset({JobState.CANCELLED, JobState.FAILED, JobState.SET_ASIDE})


async def own_job(query: CallbackQuery, job_id: int, studio: Studio) -> Job | None:
    """The job behind a pressed button; None, and a short answer, if it isn't this person's."""
    job = await studio.get(job_id)
    if job is None:
        await query.answer(_("I no longer remember this picture."))
        return None
    if not job.belongs_to(query.from_user.id):
        await query.answer(_("This button is for the one who asked."))
        return None
    return job


async def what_is_gone(request: JobRequest, variation: Variation) -> str | None:
    """A kind sentence if a picture that the `variation` needs has been deleted meanwhile."""
    if variation is not Variation.OTHER_PHOTO and await _is_gone(request.content):
        return _("I keep photos only for a while, and this one is gone. Please send it again.")
    if variation is not Variation.OTHER_STYLE:
        for pick in request.styles:
            if await _is_gone(pick.picture):
                return _("This style is gone. Please choose another one: /style")
    return None


async def _is_gone(picture: Path) -> bool:
    return not await asyncio.to_thread(picture.is_file)


async def paint_once(
    job: Job, variation: Variation, varied: JobRequest, asker: Asker, studio: Studio
) -> Job:
    """The one job that a button starts, however often it is pressed.

    Only where that job came to nothing (it was cancelled, say) does a press start another.
    Raises `QueueFull`, `TooManyJobs`, `ClosingDown`.
    """
    origin = f"again:{job.id}:{variation}"
    while True:
        request = replace(
            varied,
            origin=origin,
            chat_id=asker.chat_id,
            thread_id=asker.thread_id,
            reply_to=asker.reply_to,
            language=asker.language,
            album=None,
            album_size=1,
        )
        (started,) = await studio.submit(request)
        if started.state not in _CAME_TO_NOTHING:
            return started
        origin = f"{origin}:{started.id}"
