"""The one open question of a conversation: its message moves down, changes and is closed.

A chat keeps one live keyboard for each person besides those of results: whatever replaces a
question, or answers it, takes its buttons away.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest
from aiogram.fsm.context import FSMContext
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    Message,
)

from app.bot.requester import Requester, as_reply
from app.bot.transport.outgoing import allow_duplicates
from app.bot.transport.telegram_errors import is_message_gone, is_not_modified

Picture = str | BufferedInputFile
"""Telegram's own copy by its file id, or a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """Where the question stands, as it is stored."""

    message_id: int
    has_picture: bool = False
    is_menu: bool = False
    """It is worth reading without its buttons; other questions go when nobody answers them."""


class Questions:
    """One person's question in one chat, at one update."""

    def __init__(self, bot: Bot, requester: Requester, state: FSMContext) -> None:
        self._bot = bot
        self._requester = requester
        # Apart from what was said: commands that ask something leave that as it is.
        self._state = FSMContext(state.storage, replace(state.key, destiny="question"))

    async def ask(
        self,
        text: str,
        keyboard: InlineKeyboardMarkup | None,
        picture: Picture | None = None,
        *,
        is_menu: bool = False,
    ) -> Message:
        """Make this the open question, below all that was said; returns its message.

        What stands below it already is edited. Without a keyboard there is nothing to answer.
        Raises aiogram's errors; then the question before is open still.
        """
        before = await self._open()
        message = await self._edited(before, text, keyboard, picture) if before else None
        if message is None:
            message = await self._send(text, keyboard, picture)
        question = OpenQuestion(
            message_id=message.message_id, has_picture=picture is not None, is_menu=is_menu
        )
        await self._state.set_data(asdict(question) if keyboard is not None else {})
        if before is not None and before.message_id != question.message_id:
            await self._retire(before)
        return message

    async def change(self, text: str, keyboard: InlineKeyboardMarkup) -> bool:
        """Say the question with a picture otherwise; False if none is open."""
        question = await self._open()
        if question is None or not question.has_picture:
            return False
        await self._edit_text(question, text, keyboard)
        return True

    async def close(self, text: str, *, is_menu: bool = False) -> None:
        """It is answered: `text` says how, and its buttons go. One of the other kind stays open."""
        question = await self._open()
        if question is not None and question.is_menu is is_menu:
            await self._state.set_data({"closed": question.message_id})
            await self._edit_text(question, text, None)

    async def withdraw(self) -> None:
        """Nobody needs to answer it any more."""
        question = await self._open()
        if question is not None:
            await self._state.set_data({})
            await self._retire(question)

    async def is_open(self, message_id: int) -> bool:
        question = await self._open()
        return question is not None and question.message_id == message_id

    async def was_just_closed(self, message_id: int) -> bool:
        """Whether it was the last one: then its buttons were pressed twice."""
        return (await self._state.get_data()).get("closed") == message_id

    async def _open(self) -> OpenQuestion | None:
        data = await self._state.get_data()
        known = {
            field.name: data[field.name] for field in fields(OpenQuestion) if field.name in data
        }
        return OpenQuestion(**known) if isinstance(data.get("message_id"), int) else None

    async def _edited(
        self,
        question: OpenQuestion,
        text: str,
        keyboard: InlineKeyboardMarkup | None,
        picture: Picture | None,
    ) -> Message | None:
        """The question's own message as the new one; None where that can't be."""
        is_above = question.message_id < self._requester.message_id
        if is_above or (question.has_picture and picture is None):
            return None
        chat_id, message_id = self._requester.chat_id, question.message_id
        try:
            if picture is None:
                changed = await self._bot.edit_message_text(
                    text, chat_id=chat_id, message_id=message_id, reply_markup=keyboard
                )
            else:
                changed = await self._bot.edit_message_media(
                    media=InputMediaPhoto(media=picture, caption=text),
                    chat_id=chat_id,
                    message_id=message_id,
                    reply_markup=keyboard,
                )
        except TelegramBadRequest:
            return None
        return changed if isinstance(changed, Message) else None

    async def _send(
        self, text: str, keyboard: InlineKeyboardMarkup | None, picture: Picture | None
    ) -> Message:
        requester = self._requester
        reply = as_reply(requester.reply_to)
        with allow_duplicates():
            if picture is None:
                return await self._bot.send_message(
                    requester.chat_id,
                    text,
                    reply_markup=keyboard,
                    message_thread_id=requester.thread_id,
                    reply_parameters=reply,
                )
            return await self._bot.send_photo(
                requester.chat_id,
                picture,
                caption=text,
                reply_markup=keyboard,
                message_thread_id=requester.thread_id,
                reply_parameters=reply,
            )

    async def _edit_text(
        self, question: OpenQuestion, text: str, keyboard: InlineKeyboardMarkup | None
    ) -> None:
        chat_id, message_id = self._requester.chat_id, question.message_id
        try:
            if question.has_picture:
                await self._bot.edit_message_caption(
                    chat_id=chat_id, message_id=message_id, caption=text, reply_markup=keyboard
                )
            else:
                await self._bot.edit_message_text(
                    text, chat_id=chat_id, message_id=message_id, reply_markup=keyboard
                )
        except TelegramBadRequest as error:
            if not (is_not_modified(error) or is_message_gone(error)):
                raise

    async def _retire(self, question: OpenQuestion) -> None:
        """As far as Telegram allows it: a message of the day before can't be deleted."""
        chat_id, message_id = self._requester.chat_id, question.message_id
        if not question.is_menu:
            with suppress(AiogramError):
                await self._bot.delete_message(chat_id, message_id)
                return
        with suppress(AiogramError):
            await self._bot.edit_message_reply_markup(chat_id=chat_id, message_id=message_id)
