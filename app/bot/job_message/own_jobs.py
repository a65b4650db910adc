"""What a person may do with jobs of one's own, and with nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from app.bot.job_message.variations import Variation
from app.bot.requester import Requester
from app.bot.ui import texts
from app.jobs.interface import JobService
from app.jobs.model import Job, JobRequest, JobState
from app.pictures.frames import frames_file

_CAME_TO_NOTHING = frozenset(
    {JobState.CANCELLED, JobState.FAILED, JobState.SET_ASIDE, JobState.DELETED}
)


async def own_job(
    query: CallbackQuery, job_id: int, job_service: JobService, *, deleted: bool = False
) -> Job | None:
    """The job behind a pressed button; None, and a short answer, if it isn't this person's.

    One whose result was deleted is remembered only for those who ask for it by `deleted`.
    """
    job = await job_service.get(job_id)
    if job is None or (job.state is JobState.DELETED and not deleted):
        await query.answer(_("I no longer remember this picture."))
        return None
    if not job.belongs_to(query.from_user.id):
        await query.answer(_("This button is for the one who asked."))
        return None
    return job


async def own_result(query: CallbackQuery, job_id: int, job_service: JobService) -> Job | None:
    """The same for a button under a result; None, too, for a job that has none (yet)."""
    job = await own_job(query, job_id, job_service)
    if job is not None and (job.result is None or job.state in _CAME_TO_NOTHING):
        await query.answer(_("I no longer remember this picture."))
        return None
    return job


async def results_under(query: CallbackQuery, job: Job, job_service: JobService) -> list[Job]:
    """What the buttons of a message are about: the picture in it, else all of the album.

    An album's own buttons stand in a message of their own, below it.
    """
    message = query.message
    if isinstance(message, Message) and _shows_result(message):
        return [job]
    jobs = await job_service.together(job)
    return [each for each in jobs if each.state not in _CAME_TO_NOTHING]


def _shows_result(message: Message) -> bool:
    still = message.photo or message.document
    return bool(still or message.animation or message.video or message.video_note)


async def what_is_gone(jobs: Sequence[Job], variation: Variation) -> str | None:
    """A kind sentence if a picture that the `variation` needs has been deleted meanwhile."""
    styles = [choice.picture for job in jobs for choice in job.request.styles]
    if variation is not Variation.OTHER_PHOTO and (gone := await is_photo_gone(jobs)) is not None:
        return gone
    if variation is not Variation.OTHER_STYLE and await _is_one_gone(styles):
        return texts.style_is_gone()
    return None


async def is_photo_gone(jobs: Sequence[Job]) -> str | None:
    """A kind sentence if a photo has been deleted meanwhile."""
    if await _is_one_gone([job.request.content for job in jobs]):
        return _("I keep photos only for a while, and this one is gone. Please send it again.")
    return None


async def is_painting_gone(jobs: Sequence[Job]) -> str | None:
    """A kind sentence if a result has been deleted meanwhile; Telegram may still show it."""
    if await _is_one_gone([job.result for job in jobs if job.result is not None]):
        return _("I keep paintings only for a while, and this one is gone here.")
    return None


async def are_frames_gone(jobs: Sequence[Job]) -> str | None:
    """A kind sentence if there is nothing (any more) to make a film of."""
    files = [frames_file(job.result) for job in jobs if job.result is not None]
    if not files or await _is_one_gone(files):
        return _("I did not keep how this picture came about.")
    return None


async def _is_one_gone(pictures: Sequence[Path]) -> bool:
    return not await asyncio.to_thread(lambda: all(picture.is_file() for picture in pictures))


async def paint_once(
    jobs: Sequence[Job],
    variation: Variation,
    varied: Sequence[JobRequest],
    requester: Requester,
    job_service: JobService,
) -> list[Job]:
    """The one job, or album, that a button starts, however often it is pressed.

    `varied` is what is asked for instead of each of `jobs`. Only where all of it came to nothing
    (it was cancelled, say) does a press start it again. Raises one of `JobRefused`.
    """
    origins = [f"again:{job.id}:{variation}" for job in jobs]
    while True:
        album = origins[0] if len(jobs) > 1 else None
        requests = [
            replace(
                request,
                origin=origin,
                chat_id=requester.chat_id,
                thread_id=requester.thread_id,
                reply_to=requester.reply_to,
                language=requester.language,
                album=album,
                album_size=len(jobs),
            )
            for request, origin in zip(varied, origins, strict=True)
        ]
        started = await job_service.submit(*requests)
        if any(job.state not in _CAME_TO_NOTHING for job in started):
            return started
        pairs = zip(origins, started, strict=True)
        origins = [f"{origin}:{job.id}" for origin, job in pairs]
