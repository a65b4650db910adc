"""Gives handlers the conversation they take part in, and keeps out what comes too late for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiogram import BaseMiddleware
from aiogram.exceptions import AiogramError
from aiogram.types import CallbackQuery, Message, TelegramObject
from aiogram.utils.i18n import gettext as _

from app.bot.conversation.dialog import Dialog
from app.bot.conversation.draft_order import was_done_by
from app.bot.conversation.questions import Questions
from app.bot.requester import Requester
from app.bot.ui.callback_data import OwnedCallback


class DialogMiddleware(BaseMiddleware):
    """Puts `dialog` and `questions` among the handler's data.

    An update that has had its effect already is dropped, and so is a press on a question that is
    no longer open.
    """

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        assert isinstance(event, Message | CallbackQuery)  # noqa: S101 - registered on no other
        if isinstance(event, CallbackQuery) and event.message is None:
            # Too old, or sent by way of another chat: there is nowhere to go on.
            return await _answer_late_press(event)
        requester = Requester.of(event, language=data["language"])
        questions = Questions(data["bot"], requester, data["state"])
        if await was_done_by(data["state"], origin=requester.origin):
            if isinstance(event, CallbackQuery):
                await event.answer()
            return None
        is_on_question = isinstance(data.get("callback_data"), OwnedCallback)
        if isinstance(event, CallbackQuery) and is_on_question:
            if await questions.was_just_closed(requester.message_id):
                await event.answer()  # pressed twice
                return None
            if not await questions.is_open(requester.message_id):
                return await _answer_late_press(event)
        dialog = Dialog(
            requester=requester,
            state=data["state"],
            questions=questions,
            catalog=data["catalog"],
            gallery=data["gallery"],
            job_submission=data["job_submission"],
        )
        return await handler(event, data | {"dialog": dialog, "questions": questions})


async def _answer_late_press(query: CallbackQuery) -> None:
    await query.answer(
        _("These buttons are out of date. Please use the newest ones, or type /style.")
    )
    if isinstance(query.message, Message):
        with suppress(AiogramError):
            await query.message.delete_reply_markup()
