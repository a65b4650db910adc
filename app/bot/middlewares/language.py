"""The language of every answer: the one a person has set, or else that of their Telegram."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import TelegramObject, User
from aiogram.utils.i18n import I18n

from app.bot.conversation.submission import PreferencesReader
from app.bot.ui.i18n import language_for


class LanguageMiddleware(BaseMiddleware):
    """Sets gettext's language, and gives it to handlers as `language`."""

    def __init__(self, i18n: I18n, preferences: PreferencesReader) -> None:
        self._i18n = i18n
        self._preferences = preferences

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        user: User | None = data.get("event_from_user")
        language = await self._language_of(user)
        with self._i18n.context(), self._i18n.use_locale(language):
            return await handler(event, data | {"language": language})

    async def _language_of(self, user: User | None) -> str:
        if user is None:
            return self._i18n.default_locale
        return await self._preferences.language(user.id) or language_for(user.language_code)
