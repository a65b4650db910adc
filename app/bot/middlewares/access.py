"""Who may use the bot: everybody, or the people and groups on a list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware
from aiogram.enums import ChatType
from aiogram.types import Chat, TelegramObject, Update, User
from aiogram.utils.i18n import gettext as _


class AccessMiddleware(BaseMiddleware):
    """Tells strangers, in private, that the bot is not open to them; nothing else reaches it."""

    def __init__(self, lets_in: Callable[[int, int | None], bool]) -> None:
        self._lets_in = lets_in

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        user: User | None = data.get("event_from_user")
        if user is None:
            return None
        chat: Chat | None = data.get("event_chat")
        if self._lets_in(user.id, chat.id if chat else None):
            return await handler(event, data)
        assert isinstance(event, Update)  # noqa: S101 - registered on nothing else
        sorry = _("I work for a small circle only. My owner can let you in; your ID is {id}.")
        if event.message is not None and event.message.chat.type == ChatType.PRIVATE:
            await event.message.answer(sorry.format(id=user.id))
        elif event.callback_query is not None:
            await event.callback_query.answer(sorry.format(id=user.id), show_alert=True)
        return None
