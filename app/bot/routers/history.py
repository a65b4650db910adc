"""/history: the last pictures that are still kept, to look at and to go on from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from aiogram import Bot, Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _

from app.bot.conversation.dialog import Dialog
from app.bot.conversation.questions import Questions
from app.bot.job_message.captions import Captions
from app.bot.job_message.own_jobs import is_painting_gone, own_result
from app.bot.job_message.past_results import PastResults
from app.bot.ui.callback_data import JobId, OwnedCallback
from app.bot.ui.texts import safe_name
from app.jobs.interface import JobService
from app.jobs.model import Job

MAX_SHOWN: Final = 10
"""As many as an album holds."""
MAX_BUTTONS_A_ROW: Final = 5


class HistoryCallback(OwnedCallback, prefix="history"):
    """A numbered button: send this one again."""

    job_id: JobId


def make_router() -> Router:
    router = Router(name="history")
    router.message.register(show, Command("history"))
    router.callback_query.register(send_again, HistoryCallback.filter())
    return router


async def show(
    message: Message,
    bot: Bot,
    captions: Captions,
    dialog: Dialog,
    questions: Questions,
    job_service: JobService,
) -> None:
    requester = dialog.requester
    # A group sees what was painted in it, and nothing of what somebody has had painted elsewhere.
    chat_id = None if message.chat.type == "private" else message.chat.id
    jobs = await job_service.past_results(requester.user_id, chat_id=chat_id, limit=MAX_SHOWN)
    past = PastResults(bot, captions, requester)
    if not jobs:
        text = _("I keep no pictures of yours just now. Send me a photo!")
        await questions.ask(text, None, is_menu=True)
    elif len(jobs) == 1:
        await past.send(jobs[0])
    else:
        await past.send_album(jobs)
        # Not edited where it stands: it belongs below the album.
        await questions.withdraw()
        await questions.ask(_text(jobs, captions), _keyboard(jobs, requester.user_id), is_menu=True)


async def send_again(
    query: CallbackQuery,
    callback_data: HistoryCallback,
    bot: Bot,
    captions: Captions,
    dialog: Dialog,
    job_service: JobService,
) -> None:
    job = await own_result(query, callback_data.job_id, job_service)
    if job is None:
        return
    if (gone := await is_painting_gone([job])) is not None:
        await query.answer(gone, show_alert=True)
        return
    await query.answer()
    await PastResults(bot, captions, dialog.requester).send(job)


def _text(jobs: Sequence[Job], captions: Captions) -> str:
    question = _("Your last pictures, the newest first. Which one shall I send again?")
    names = [safe_name(captions.style(job)) for job in jobs]
    lines = [f"{number}. {name}" for number, name in enumerate(names, start=1)]
    return "\n".join([question, *lines])


def _keyboard(jobs: Sequence[Job], owner: int) -> InlineKeyboardMarkup:
    buttons = [
        InlineKeyboardButton(
            text=str(number), callback_data=HistoryCallback(owner=owner, job_id=job.id).pack()
        )
        for number, job in enumerate(jobs, start=1)
    ]
    # Six are three and three: one that stood alone would be as wide as all the others.
    rows = math.ceil(len(buttons) / MAX_BUTTONS_A_ROW)
    width = math.ceil(len(buttons) / rows)
    return InlineKeyboardMarkup(
        inline_keyboard=[buttons[start : start + width] for start in range(0, len(buttons), width)]
    )
