"""/forget: everything about a person is deleted, after one question."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from aiogram import Bot, F, Router
from aiogram.exceptions import AiogramError
from aiogram.filters import Command
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import I18n
from aiogram.utils.i18n import gettext as _

from app.bot.conversation.questions import Questions
from app.bot.personal_data import Erasure, PersonalData
from app.bot.ui import texts
from app.bot.ui.callback_data import OwnedCallback


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


async def forget(query: CallbackQuery, personal_data: PersonalData, language: str) -> None:
    await query.answer()
    erasure = Erasure(
        user_id=query.from_user.id,
        chat_id=query.message.chat.id if query.message else None,
        message_id=query.message.message_id if query.message else None,
        language=language,
    )

    is_done = await personal_data.erase(erasure)
    if isinstance(query.message, Message):
        await query.message.edit_text(texts.forgotten() if is_done else texts.not_forgotten_yet())


async def tell_all(forgotten: Iterable[Erasure], bot: Bot, i18n: I18n) -> None:
    """Say it to those who could not be told at once, in the place of the question."""
    for erasure in forgotten:
        with i18n.context(), i18n.use_locale(erasure.language or i18n.default_locale):
            text = texts.forgotten()
        with suppress(AiogramError):
            await bot.edit_message_text(
                text, chat_id=erasure.chat_id, message_id=erasure.message_id
            )


async def resume_and_tell(personal_data: PersonalData, bot: Bot, i18n: I18n) -> None:
    """Try again what could not be deleted."""
    await tell_all(await personal_data.resume(), bot, i18n)


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
