"""The one open question of a conversation: its message moves down, changes and is closed.

Besides those of results a chat has one live keyboard for each person, and one more while a menu
interrupts a question: whatever replaces or answers one of them takes its buttons away.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest
from aiogram.fsm.context import FSMContext
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    Message,
)
from pydantic import TypeAdapter, ValidationError

from app.bot.requester import Requester, as_reply
from app.bot.transport.outgoing import allow_duplicates
from app.bot.transport.telegram_errors import is_message_gone, is_not_modified

logger = logging.getLogger(__name__)

Picture = str | BufferedInputFile
"""Telegram's own copy by its file id, or a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """Where the question stands, as it is stored."""

    message_id: int
    has_picture: bool = False


@dataclass(frozen=True, slots=True)
class _Open:
    """What has live buttons now."""

    question: OpenQuestion | None = None
    """Of the way to a painting."""
    menu: OpenQuestion | None = None
    """Of a command that one looks into in between: settings, the queue."""
    closed: int | None = None
    """The message that was answered last."""

    def of_kind(self, *, is_menu: bool) -> OpenQuestion | None:
        return self.menu if is_menu else self.question


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

        What stands below it already is edited. A menu leaves the question that it interrupts open;
        the next question closes the menu. Without a keyboard there is nothing to answer. Raises
        aiogram's errors; then what was open before is open still.
        """
        before = await self._open()
        same = before.of_kind(is_menu=is_menu)
        message = await self._edited(same, text, keyboard, picture) if same else None
        if message is None:
            message = await self._send(text, keyboard, picture)
        asked = OpenQuestion(message_id=message.message_id, has_picture=picture is not None)
        now = asked if keyboard is not None else None
        await self._keep(
            replace(before, menu=now) if is_menu else replace(before, question=now, menu=None)
        )
        if same is not None and same.message_id != asked.message_id:
            await self._retire(same, is_menu=is_menu)
        if not is_menu and before.menu is not None:
            await self._retire(before.menu, is_menu=True)
        return message

    async def change(self, text: str, keyboard: InlineKeyboardMarkup) -> bool:
        """Say the question with a picture otherwise; False if none is open."""
        question = (await self._open()).question
        if question is None or not question.has_picture:
            return False
        await self._edit_text(question, text, keyboard)
        return True

    async def close(self, text: str, *, is_menu: bool = False) -> None:
        """The question, or the menu, is answered: `text` says how, and its buttons go."""
        before = await self._open()
        asked = before.of_kind(is_menu=is_menu)
        if asked is not None:
            after = replace(before, menu=None) if is_menu else replace(before, question=None)
            await self._keep(replace(after, closed=asked.message_id))
            await self._edit_text(asked, text, None)

    async def withdraw(self) -> None:
        """Nobody needs to answer anything any more."""
        before = await self._open()
        await self._keep(_Open())
        if before.question is not None:
            await self._retire(before.question, is_menu=False)
        if before.menu is not None:
            await self._retire(before.menu, is_menu=True)

    async def is_open(self, message_id: int) -> bool:
        now = await self._open()
        asked = [each.message_id for each in (now.question, now.menu) if each is not None]
        return message_id in asked

    async def was_just_closed(self, message_id: int) -> bool:
        """Whether it was the last one: then its buttons were pressed twice."""
        return (await self._open()).closed == message_id

    async def _open(self) -> _Open:
        try:
            return _reader().validate_python(await self._state.get_data())
        except ValidationError:
            logger.error("an open question can't be read, and is asked anew")
            return _Open()

    async def _keep(self, state: _Open) -> None:
        await self._state.set_data(asdict(state))

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

    async def _retire(self, question: OpenQuestion, *, is_menu: bool) -> None:
        """A menu is worth reading without its buttons; a question that nobody answers goes.

        As far as Telegram allows it: a message of the day before can't be deleted.
        """
        chat_id, message_id = self._requester.chat_id, question.message_id
        if not is_menu:
            with suppress(AiogramError):
                await self._bot.delete_message(chat_id, message_id)
                return
        with suppress(AiogramError):
            await self._bot.edit_message_reply_markup(chat_id=chat_id, message_id=message_id)


@cache
def _reader() -> TypeAdapter[_Open]:
    return TypeAdapter(_Open)
