"""/button: people may see what the bot knows about them."""

from __future__ import annotations

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message, User
from aiogram.utils.i18n import gettext as _

from app.bot.conversation.questions import Questions
from app.bot.ui.callback_data import DataCallback, DataTopic
from app.bot.ui.keyboards import see_data_keyboard, which_data_keyboard
from app.bot.ui.texts import safe_name


def make_router() -> Router:
    router = Router(name="my_data")
    router.message.register(ask, Command("button"))
    router.callback_query.register(show, DataCallback.filter())
    return router


async def ask(message: Message, questions: Questions) -> None:
    if message.from_user is not None:
        keyboard = see_data_keyboard(message.from_user.id)
        await questions.ask(_("Would you like to see your data?"), keyboard, is_menu=True)


async def show(query: CallbackQuery, callback_data: DataCallback, questions: Questions) -> None:
    await query.answer()
    user = query.from_user
    match callback_data.topic:
        case DataTopic.YES:
            text = _("Which: your ID or your nickname?")
            await questions.ask(text, which_data_keyboard(user.id), is_menu=True)
        case DataTopic.NO:
            await questions.close(_("As you like."), is_menu=True)
        case DataTopic.ID:
            await questions.close(_("Your ID: {id}").format(id=user.id), is_menu=True)
        case DataTopic.NICKNAME:
            await questions.close(_nickname(user), is_menu=True)


def _nickname(user: User) -> str:
    if user.username:
        return _("Your nickname: {name}").format(name=safe_name(f"@{user.username}"))
    return _("You have no nickname in Telegram; your name is {name}.").format(
        name=safe_name(user.full_name)
    )
