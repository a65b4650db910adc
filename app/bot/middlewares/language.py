"""The language of every answer: the one a person has set, or else that of their Telegram."""

from __future__ import annotations

from typing import Any

from aiogram.types import TelegramObject, User
from aiogram.utils.i18n import I18n, I18nMiddleware

from app.bot.conversation.submission import PreferencesReader
from app.bot.ui.i18n import language_for


class LanguageMiddleware(I18nMiddleware):
    """Sets gettext's language, and gives it to handlers as `language`."""

    def __init__(self, i18n: I18n, preferences: PreferencesReader) -> None:
        super().__init__(i18n)
        self._preferences = preferences

    async def get_locale(self, event: TelegramObject, data: dict[str, Any]) -> str:
        user: User | None = data.get("event_from_user")
        data["language"] = await self._language_of(user)
        return str(data["language"])

    async def _language_of(self, user: User | None) -> str:
        if user is None:
            return self.i18n.default_locale
        return await self._preferences.language(user.id) or language_for(user.language_code)
