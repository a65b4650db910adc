"""Who administrates a chat: they may press the buttons of what was ordered on its behalf."""

from __future__ import annotations

from typing import Final

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest, TelegramForbiddenError
from cachetools import TTLCache

BELIEVED_S: Final = 60.0
"""Who has become an administrator, or is none any more, is known after so long at the latest."""
REMEMBERED_CHATS: Final = 1000


class Administrators:
    """Asks Telegram, and believes the answer for a moment."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._known: TTLCache[int, frozenset[int] | None]
        self._known = TTLCache(maxsize=REMEMBERED_CHATS, ttl=BELIEVED_S)

    async def of(self, chat_id: int) -> frozenset[int] | None:
        """The ids of a chat's administrators; None if Telegram doesn't tell.

        It tells in groups, and in channels that the bot is a member of.
        """
        if chat_id not in self._known:
            try:
                members = await self._bot.get_chat_administrators(chat_id)
            except (TelegramBadRequest, TelegramForbiddenError):
                self._known[chat_id] = None
            except AiogramError:
                return None  # it may tell the next time
            else:
                self._known[chat_id] = frozenset(member.user.id for member in members)
        return self._known.get(chat_id)
