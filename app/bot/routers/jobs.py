"""Buttons of jobs: Stop and Cancel, /queue, and "once more, otherwise" under a result."""

from __future__ import annotations

from collections.abc import Sequence

from aiogram import Bot, F, Router
from aiogram.exceptions import TelegramBadRequest
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from app.bot.conversation.dialog import Dialog
from app.bot.conversation.draft_order import DraftOrder, pictures_in_orders
from app.bot.conversation.fsm_storage import ConversationStorage
from app.bot.conversation.questions import Questions
from app.bot.job_message.deletion import delete_messages
from app.bot.job_message.job_buttons import (
    AgainCallback,
    DeleteCallback,
    JobAction,
    JobCallback,
    MoreCallback,
    result_keyboard,
)
from app.bot.job_message.own_jobs import (
    own_job,
    own_result,
    paint_once,
    results_under,
    what_is_gone,
)
from app.bot.job_message.sharing import can_share
from app.bot.job_message.variations import Variation, vary
from app.bot.routers.errors import refusal
from app.bot.transport.telegram_errors import is_message_gone, is_not_modified
from app.bot.ui.callback_data import PageCallback, Paged
from app.bot.ui.pages import PAGE_SIZE, page_of
from app.bot.ui.queue_list import QueueCallback, queue_keyboard, queue_text
from app.jobs.interface import JobRefused, JobService
from app.jobs.model import Job, JobState, StyleAdjustments


def make_router() -> Router:
    router = Router(name="jobs")
    router.message.register(show_queue, Command("queue"))
    router.callback_query.register(cancel_from_queue, QueueCallback.filter())
    router.callback_query.register(turn_queue, PageCallback.filter(F.of == Paged.QUEUE))
    router.callback_query.register(stop_or_cancel, JobCallback.filter())
    router.callback_query.register(show_more, MoreCallback.filter())
    router.callback_query.register(delete, DeleteCallback.filter())
    router.callback_query.register(paint_again, AgainCallback.filter())
    return router


async def show_queue(message: Message, job_service: JobService, questions: Questions) -> None:
    if message.from_user is not None:
        await list_jobs(message.from_user.id, 0, job_service, questions)


async def turn_queue(
    query: CallbackQuery, callback_data: PageCallback, job_service: JobService, questions: Questions
) -> None:
    await query.answer()
    await list_jobs(query.from_user.id, callback_data.number, job_service, questions)


async def cancel_from_queue(
    query: CallbackQuery,
    callback_data: QueueCallback,
    job_service: JobService,
    questions: Questions,
) -> None:
    owner = query.from_user.id
    ids = [view.job.id for view in await job_service.views(owner)]
    page = ids.index(callback_data.job_id) // PAGE_SIZE if callback_data.job_id in ids else 0
    done = await job_service.cancel(callback_data.job_id, owner)
    await query.answer(_("Cancelled.") if done else _("It is ready already."))
    await list_jobs(owner, page, job_service, questions)


async def list_jobs(owner: int, number: int, job_service: JobService, questions: Questions) -> None:
    page = page_of(await job_service.views(owner), number)
    text = queue_text(page, is_paused=job_service.is_paused)
    await questions.ask(text, queue_keyboard(page, owner), is_menu=True)


async def stop_or_cancel(
    query: CallbackQuery, callback_data: JobCallback, job_service: JobService
) -> None:
    job = await own_job(query, callback_data.job_id, job_service)
    if job is None:
        return
    if callback_data.action is JobAction.STOP:
        done = await job_service.stop(job.id, query.from_user.id)
        answer = _("You will have it as it is now.")
    else:
        done = await cancel(job, job_service)
        answer = _("Cancelled.")
    await query.answer(answer if done else _("It is ready already."))


async def cancel(job: Job, job_service: JobService) -> bool:
    """The job or, as one message stands for an album, what is open of it."""
    jobs = await job_service.together(job)
    return any([await job_service.cancel(each.id, job.request.user_id) for each in jobs])


async def show_more(
    query: CallbackQuery, callback_data: MoreCallback, job_service: JobService, bot: Bot
) -> None:
    job = await own_result(query, callback_data.job_id, job_service)
    if job is None:
        return
    await query.answer()
    keyboard = result_keyboard(
        await results_under(query, job, job_service),
        can_share=await can_share(bot),
        is_open=callback_data.is_open,
    )
    if isinstance(query.message, Message):
        try:
            await query.message.edit_reply_markup(reply_markup=keyboard)
        except TelegramBadRequest as error:
            if not (is_not_modified(error) or is_message_gone(error)):
                raise


async def delete(
    query: CallbackQuery,
    callback_data: DeleteCallback,
    job_service: JobService,
    fsm_storage: ConversationStorage,
) -> None:
    job = await own_job(query, callback_data.job_id, job_service, deleted=True)
    if job is None:
        return
    jobs: list[Job] = []
    if job.state is not JobState.DELETED:  # else this is another message that shows it
        owner = query.from_user.id
        keep = await pictures_in_orders(fsm_storage, owner)
        doomed = await results_under(query, job, job_service)
        jobs = await job_service.delete(doomed, owner, keep=keep)
        if not jobs:
            await query.answer(_("It is still on its way to you. Please try again in a moment."))
            return
    await query.answer(_("Deleted."))
    await delete_messages(query, jobs)


async def paint_again(
    query: CallbackQuery, callback_data: AgainCallback, dialog: Dialog, job_service: JobService
) -> None:
    job = await own_result(query, callback_data.job_id, job_service)
    if job is None:
        return
    jobs = await results_under(query, job, job_service)
    if (gone := await what_is_gone(jobs, callback_data.variation)) is not None:
        await query.answer(gone, show_alert=True)
    elif callback_data.variation is Variation.OTHER_STYLE:
        await query.answer()
        await dialog.show_gallery(DraftOrder.again(each.request for each in jobs))
    elif callback_data.variation is Variation.OTHER_PHOTO:
        await query.answer()
        adjustments = StyleAdjustments.of(job.request.options)
        await dialog.ask_for_photo(DraftOrder(styles=job.request.styles, adjustments=adjustments))
    else:
        answer = await vary_jobs(jobs, callback_data.variation, dialog, job_service)
        await query.answer(answer)


async def vary_jobs(
    jobs: Sequence[Job], variation: Variation, dialog: Dialog, job_service: JobService
) -> str:
    """Start the job, or the album, that the button stands for; returns what to say."""
    varied = [request for job in jobs if (request := vary(job.request, variation)) is not None]
    if not varied or len(varied) < len(jobs):
        return _("It does not go any further.")
    try:
        started = await paint_once(jobs, variation, varied, dialog.requester, job_service)
    except JobRefused as error:
        return refusal(error)
    if all(job.state is JobState.DELIVERED for job in started):
        return _("You have that one already, look below.")
    return _("Painting it once more 🎨")
