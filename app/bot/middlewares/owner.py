"""A question's buttons belong to the person who was asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import CallbackQuery, TelegramObject
from aiogram.utils.i18n import gettext as _

from app.bot.ui.callback_data import OwnedCallback


class OwnerMiddleware(BaseMiddleware):
    """Keeps others, and whoever writes callback data by hand, from pressing them."""

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        callback = data.get("callback_data")
        assert isinstance(event, CallbackQuery)  # noqa: S101 - registered on nothing else
        if isinstance(callback, OwnedCallback) and callback.owner != event.from_user.id:
            await event.answer(_("This button is for the one who asked."))
            return None
        return await handler(event, data)
