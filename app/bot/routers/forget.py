"""/forget: everything about a person is deleted, after one question."""

from __future__ import annotations

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _

from app.bot.conversation.fsm_storage import ConversationStorage
from app.bot.conversation.questions import Questions
from app.bot.preferences import PreferencesRepository
from app.bot.transport.picture_downloads import PictureDownloads
from app.bot.ui.callback_data import OwnedCallback
from app.jobs.interface import JobService


class ForgetCallback(OwnedCallback, prefix="forget"):
    """The answer to "really everything?"."""

    sure: bool


def make_router() -> Router:
    router = Router(name="forget")
    router.message.register(ask, Command("forget"))
    router.callback_query.register(forget, ForgetCallback.filter(F.sure))
    router.callback_query.register(keep, ForgetCallback.filter())
    return router


async def ask(message: Message, questions: Questions) -> None:
    if message.from_user is None:
        return
    text = _(
        "I will delete your pictures, your jobs, your settings and our conversation."
        " What you are waiting for will not be painted. Shall I?"
    )
    await questions.ask(text, _keyboard(message.from_user.id), is_menu=True)


async def forget(
    query: CallbackQuery,
    job_service: JobService,
    downloads: PictureDownloads,
    preferences: PreferencesRepository,
    fsm_storage: ConversationStorage,
) -> None:
    await query.answer()
    user_id = query.from_user.id
    await job_service.forget(user_id)
    await downloads.forget(user_id)
    await preferences.forget(user_id)
    await fsm_storage.forget(user_id)
    if isinstance(query.message, Message):
        await query.message.edit_text(_("Done: I know nothing about you any more."))


async def keep(query: CallbackQuery, questions: Questions) -> None:
    await query.answer()
    await questions.close(_("All right, everything stays as it is."), is_menu=True)


def _keyboard(owner: int) -> InlineKeyboardMarkup:
    buttons = {_("🗑 Yes, everything"): True, _("No"): False}
    row = [
        InlineKeyboardButton(text=text, callback_data=ForgetCallback(owner=owner, sure=sure).pack())
        for text, sure in buttons.items()
    ]
    return InlineKeyboardMarkup(inline_keyboard=[row])
