"""/settings: one message, edited in place."""

from __future__ import annotations

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import I18n
from aiogram.utils.i18n import gettext as _

from app.bot.conversation.questions import Questions
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


async def show(message: Message, preferences: PreferencesRepository, questions: Questions) -> None:
    if message.from_user is not None:
        await ask(message.from_user.id, None, preferences, questions)


async def choose(
    query: CallbackQuery,
    callback_data: SettingsCallback,
    preferences: PreferencesRepository,
    questions: Questions,
    i18n: I18n,
) -> None:
    owner, field = query.from_user.id, callback_data.field
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
        await ask(owner, field, preferences, questions)


async def ask(
    owner: int, field: Field | None, preferences: PreferencesRepository, questions: Questions
) -> None:
    chosen = await preferences.of(owner)
    if field is None:
        await questions.ask(overview(chosen), overview_keyboard(owner), is_menu=True)
    else:
        await questions.ask(question(field, chosen), choices_keyboard(owner, field), is_menu=True)
