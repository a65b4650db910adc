"""/settings: one message, edited in place."""

from __future__ import annotations

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import I18n
from aiogram.utils.i18n import gettext as _

from app.bot.preferences import PreferencesRepository
from app.bot.ui.i18n import language_for
from app.bot.ui.settings_menu import (
    Field,
    SettingsCallback,
    choices_keyboard,
    overview,
    overview_keyboard,
    parse_choice,
    question,
)


def make_router() -> Router:
    router = Router(name="settings")
    router.message.register(show, Command("settings"))
    router.callback_query.register(choose, SettingsCallback.filter())
    return router


async def show(message: Message, preferences: PreferencesRepository) -> None:
    if message.from_user is not None:
        owner = message.from_user.id
        chosen = await preferences.of(owner)
        await message.answer(overview(chosen), reply_markup=overview_keyboard(owner))


async def choose(
    query: CallbackQuery,
    callback_data: SettingsCallback,
    preferences: PreferencesRepository,
    i18n: I18n,
) -> None:
    owner, field = query.from_user.id, callback_data.field
    if not isinstance(query.message, Message):
        await query.answer(_("This message is too old. Please type /settings again."))
        return
    if field is None or callback_data.value is None:
        await query.answer()
    else:
        try:
            value = parse_choice(field, callback_data.value)
        except ValueError:
            await query.answer(_("This can't be chosen."))
            return
        await preferences.set(owner, field, value)
        await query.answer(_("Saved."))
        field = None
    language = await preferences.language(owner) or language_for(query.from_user.language_code)
    with i18n.use_locale(language):  # it may just have been changed
        await redraw(query.message, owner, field, preferences)


async def redraw(
    message: Message, owner: int, field: Field | None, preferences: PreferencesRepository
) -> None:
    chosen = await preferences.of(owner)
    if field is None:
        await message.edit_text(overview(chosen), reply_markup=overview_keyboard(owner))
    else:
        await message.edit_text(
            question(field, chosen), reply_markup=choices_keyboard(owner, field)
        )
