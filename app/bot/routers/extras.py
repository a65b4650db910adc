"""Buttons under a result that make something else of it: before and after, the film."""

from __future__ import annotations

from collections.abc import Callable

from aiogram import Router
from aiogram.types import CallbackQuery
from aiogram.utils.i18n import gettext as _

from app.bot.conversation.dialog import Dialog
from app.bot.job_message.extras import Begun, Extra, ExtraCallback, Extras
from app.bot.job_message.own_jobs import (
    are_frames_gone,
    is_painting_gone,
    is_photo_gone,
    own_result,
    results_under,
)
from app.jobs.interface import JobService
from app.pictures.frames import MIN_FRAMES


def make_router() -> Router:
    router = Router(name="extras")
    router.callback_query.register(make, ExtraCallback.filter())
    return router


async def make(
    query: CallbackQuery,
    callback_data: ExtraCallback,
    dialog: Dialog,
    job_service: JobService,
    extras: Extras,
) -> None:
    job = await own_result(query, callback_data.job_id, job_service)
    if job is None:
        return
    jobs = await results_under(query, job, job_service)
    gone = await is_painting_gone(jobs)
    if callback_data.extra is Extra.FILM:
        # A film does without its photo.
        jobs = [each for each in jobs if each.frames >= MIN_FRAMES]
        gone = gone or await are_frames_gone(jobs)
    else:
        gone = gone or await is_photo_gone(jobs)
    if gone is not None:
        await query.answer(gone, show_alert=True)
        return
    begun = extras.begin(callback_data.extra, jobs, dialog.requester)
    await query.answer(_answer(begun, callback_data.extra))


_STARTED: dict[Extra, Callable[[], str]] = {
    Extra.COMPARISON: lambda: _("Side by side, in a moment…"),
    Extra.FILM: lambda: _("I am making the film…"),
}


def _answer(begun: Begun, extra: Extra) -> str:
    match begun:
        case Begun.ALREADY:
            return _("I am at it already.")
        case Begun.TOO_MANY:
            return _("One after the other, please: I am still busy with the last ones.")
        case Begun.YES:
            return _STARTED[extra]()
