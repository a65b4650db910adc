"""/button: people may see what the bot knows about them."""

from __future__ import annotations

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message, User
from aiogram.utils.i18n import gettext as _

from app.bot.ui.callback_data import DataCallback, DataTopic
from app.bot.ui.keyboards import see_data_keyboard, which_data_keyboard
from app.bot.ui.texts import safe_name


def make_router() -> Router:
    router = Router(name="my_data")
    router.message.register(ask, Command("button"))
    router.callback_query.register(show, DataCallback.filter())
    return router


async def ask(message: Message) -> None:
    if message.from_user is not None:
        keyboard = see_data_keyboard(message.from_user.id)
        await message.answer(_("Would you like to see your data?"), reply_markup=keyboard)


async def show(query: CallbackQuery, callback_data: DataCallback) -> None:
    await query.answer()
    if not isinstance(query.message, Message):
        return
    match callback_data.topic:
        case DataTopic.YES:
            keyboard = which_data_keyboard(query.from_user.id)
            await query.message.edit_text(
                _("Which: your ID or your nickname?"), reply_markup=keyboard
            )
        case DataTopic.NO:
            await query.message.edit_text(_("As you like."))
        case DataTopic.ID:
            await query.message.edit_text(_("Your ID: {id}").format(id=query.from_user.id))
        case DataTopic.NICKNAME:
            await query.message.edit_text(_nickname(query.from_user))


def _nickname(user: User) -> str:
    if user.username:
        return _("Your nickname: {name}").format(name=safe_name(f"@{user.username}"))
    return _("You have no nickname in Telegram; your name is {name}.").format(
        name=safe_name(user.full_name)
    )
