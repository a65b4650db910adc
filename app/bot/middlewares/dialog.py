"""Gives handlers the conversation they take part in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import CallbackQuery, Message, TelegramObject

from app.bot.conversation.dialog import Dialog
from app.bot.conversation.draft_order import was_closed_by
from app.bot.requester import Requester


class DialogMiddleware(BaseMiddleware):
    """Puts `dialog` among the handler's data, and drops what has had its effect already."""

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        assert isinstance(event, Message | CallbackQuery)  # noqa: S101 - registered on no other
        requester = Requester.of(event, language=data["language"])
        pressed = event.message if isinstance(event, CallbackQuery) else None
        question = pressed.message_id if pressed else None
        if await was_closed_by(data["state"], origin=requester.origin, question=question):
            if isinstance(event, CallbackQuery):
                await event.answer()
            return None
        dialog = Dialog(
            bot=data["bot"],
            requester=requester,
            state=data["state"],
            catalog=data["catalog"],
            gallery=data["gallery"],
            job_submission=data["job_submission"],
        )
        return await handler(event, data | {"dialog": dialog})
