"""Buttons of jobs: Stop and Cancel, /queue, and "once more, otherwise" under a result."""

from __future__ import annotations

from collections.abc import Sequence

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from app.bot.dialog import Dialog
from app.bot.job_buttons import AgainPress, JobPress, Press
from app.bot.order import Order
from app.bot.own_jobs import own_job, paint_once, results_with, what_is_gone
from app.bot.queue_list import QueuePress, queue_keyboard, queue_text
from app.bot.routers.errors import refusal
from app.bot.variations import Look, Variation, vary
from app.jobs.job import Job, JobState
from app.jobs.ports import ClosingDown, QueueFull, Studio, TooManyJobs


def make_router() -> Router:
    router = Router(name="jobs")
    router.message.register(show_queue, Command("queue"))
    router.callback_query.register(cancel_from_queue, QueuePress.filter())
    router.callback_query.register(press, JobPress.filter())
    router.callback_query.register(paint_again, AgainPress.filter())
    return router


async def show_queue(message: Message, studio: Studio) -> None:
    if message.from_user is not None:
        owner = message.from_user.id
        views = await studio.views(owner)
        await message.answer(queue_text(views), reply_markup=queue_keyboard(views, owner))


async def cancel_from_queue(
    query: CallbackQuery, callback_data: QueuePress, studio: Studio
) -> None:
    owner = query.from_user.id
    done = await studio.cancel(callback_data.job_id, owner)
    await query.answer(_("Cancelled.") if done else _("It is ready already."))
    if isinstance(query.message, Message):
        views = await studio.views(owner)
        await query.message.edit_text(queue_text(views), reply_markup=queue_keyboard(views, owner))


async def press(query: CallbackQuery, callback_data: JobPress, studio: Studio) -> None:
    job = await own_job(query, callback_data.job_id, studio)
    if job is None:
        return
    if callback_data.press is Press.STOP:
        done = await studio.stop(job.id, query.from_user.id)
        answer = _("You will have it as it is now.")
    else:
        done = await cancel(job, studio)
        answer = _("Cancelled.")
    await query.answer(answer if done else _("It is ready already."))


async def cancel(job: Job, studio: Studio) -> bool:
    """The job or, as one card stands for an album, what is open of it."""
    jobs = await studio.together(job)
    return any([await studio.cancel(each.id, job.request.user_id) for each in jobs])


async def paint_again(
    query: CallbackQuery, callback_data: AgainPress, dialog: Dialog, studio: Studio
) -> None:
    job = await own_job(query, callback_data.job_id, studio)
    if job is None:
        return
    jobs = await results_with(job, studio)
    if (gone := await what_is_gone(jobs, callback_data.variation)) is not None:
        await query.answer(gone, show_alert=True)
    elif callback_data.variation is Variation.OTHER_STYLE:
        await query.answer()
        await dialog.show_gallery(Order(photos=tuple(each.request.content for each in jobs)))
    elif callback_data.variation is Variation.OTHER_PHOTO:
        await query.answer()
        look = Look.of(job.request.options)
        await dialog.ask_for_photo(Order(styles=job.request.styles, look=look))
    else:
        answer = await vary_jobs(jobs, callback_data.variation, dialog, studio)
        await query.answer(answer)


async def vary_jobs(
    jobs: Sequence[Job], variation: Variation, dialog: Dialog, studio: Studio
) -> str:
    """Start the job, or the album, that the button stands for; returns what to say."""
    varied = [request for job in jobs if (request := vary(job.request, variation)) is not None]
    if not varied or len(varied) < len(jobs):
        return _("It does not go any further.")
    try:
        started = await paint_once(jobs, variation, varied, dialog.asker, studio)
    except (QueueFull, TooManyJobs, ClosingDown) as error:
        return refusal(error)
    if all(job.state is JobState.DELIVERED for job in started):
        return _("You have that one already, look below.")
    return _("Painting it once more 🎨")
