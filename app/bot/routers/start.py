"""/start, /help, /cancel, and people who leave."""

from __future__ import annotations

from aiogram import Router
from aiogram.filters import KICKED, ChatMemberUpdatedFilter, Command, CommandStart
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message
from aiogram.utils.i18n import gettext as _

from app.bot.conversation.dialog import Dialog
from app.bot.conversation.questions import Questions
from app.bot.ui import texts
from app.bot.ui.callback_data import CancelCallback
from app.jobs.interface import JobService
from app.settings import Settings


def make_router() -> Router:
    router = Router(name="start")
    router.message.register(greet, CommandStart())
    router.message.register(explain, Command("help"))
    router.message.register(cancel, Command("cancel"))
    router.callback_query.register(cancel_by_button, CancelCallback.filter())
    router.my_chat_member.register(see_off, ChatMemberUpdatedFilter(KICKED))
    return router


async def greet(message: Message, dialog: Dialog, questions: Questions) -> None:
    await dialog.leave()
    await questions.withdraw()
    name = message.from_user.first_name if message.from_user else ""
    await message.answer(texts.welcome(name))


async def explain(message: Message, settings: Settings) -> None:
    await message.answer(texts.guide(clip_seconds=settings.clip_max_seconds))


async def cancel(message: Message, dialog: Dialog, questions: Questions) -> None:
    await dialog.leave()
    await questions.withdraw()
    await message.answer(
        _("All right, we start over. Pictures in the queue have their own buttons: /queue")
    )


async def cancel_by_button(query: CallbackQuery, dialog: Dialog, questions: Questions) -> None:
    await query.answer()
    await dialog.leave()
    await questions.close(_("All right, we start over."))


async def see_off(event: ChatMemberUpdated, job_service: JobService) -> None:
    """Blocked, or thrown out of a group: the GPU is free for others at once."""
    await job_service.drop_chat(event.chat.id)
