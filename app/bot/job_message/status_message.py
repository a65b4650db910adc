"""The one message that tells of a job: first a text, then a picture, edited in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramMigrateToChat
from aiogram.methods import EditMessageCaption, EditMessageMedia, EditMessageText, TelegramMethod
from aiogram.types import (
    InlineKeyboardMarkup,
    InputMediaAnimation,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    Message,
)

from app.bot.requester import as_reply
from app.bot.transport.telegram_errors import is_message_gone, is_not_modified, is_other_kind
from app.jobs.interface import StatusMessageId, StatusMessageStore
from app.jobs.model import Job

Media = InputMediaPhoto | InputMediaDocument | InputMediaAnimation | InputMediaVideo

TEXT_TIMEOUT_S = 30
UPLOAD_TIMEOUT_S = 180
"""For large files over a slow line."""
_TRIES = 3
"""Enough for a message that is gone in a group that moved."""


@dataclass(frozen=True, slots=True)
class MessageContent:
    """How the message should look. Without `media` it keeps the picture that it has."""

    text: str
    keyboard: InlineKeyboardMarkup | None = None
    media: Media | None = None
    """Its caption is `text`."""
    timeout_s: int = TEXT_TIMEOUT_S


class StatusMessage:
    """Where it stands, and how it is made and edited.

    Pictures come into it by edits alone. An edit may be repeated until Telegram confirms it, so
    that a broken connection can neither lose a picture nor double it; a *sent* picture whose
    confirmation is lost could be either. What remains is the text that is sent first: should its
    confirmation be lost, or the process end before its id is written down, one line is left
    behind in the chat that nobody edits any more.
    """

    def __init__(self, bot: Bot, job: Job, store: StatusMessageStore | None) -> None:
        """Without a `store` it is a message beside the job's: a new one, and soon forgotten."""
        self._bot = bot
        self._job = job
        self._store = store
        self._is_located = store is None
        self.chat_id = job.request.chat_id
        self.message_id: int | None = None
        self.has_picture = False

    async def locate(self) -> None:
        """Find out, once, what an earlier process has said of the job."""
        if self._store is None or self._is_located:
            return
        if (shown := await self._store.status_message(self._job)) is not None:
            self.message_id, self.has_picture = shown.message_id, shown.has_picture
        self._is_located = True

    async def show(self, content: MessageContent) -> Message | None:
        """Make the message look like `content`; where it is gone, make a new one.

        Returns the message as Telegram shows it; None if it looked like that already.

        Raises aiogram's errors, but not for what can be helped here.
        """
        await self.locate()
        for _ in range(_TRIES - 1):
            try:
                return await self._show_once(content)
            except TelegramMigrateToChat as error:
                self.move(error.migrate_to_chat_id)
            except TelegramBadRequest as error:
                if is_not_modified(error):
                    return None
                if is_message_gone(error):
                    self.forget()
                elif is_other_kind(error):
                    # The process ended between an edit and the note of it.
                    self.has_picture = not self.has_picture
                else:
                    raise
        return await self._show_once(content)

    async def delete(self) -> None:
        """Take the message away. Raises aiogram's errors, where it is too old for instance."""
        await self.locate()
        if self.message_id is not None:
            await self._bot.delete_message(self.chat_id, self.message_id)
            self.forget()

    def move(self, chat_id: int) -> None:
        """The group has become a supergroup, with another id and none of the old messages."""
        self.chat_id = chat_id
        self.forget()

    def forget(self) -> None:
        """It can't be used; whatever is shown next makes a new one."""
        self.message_id, self.has_picture = None, False

    async def _show_once(self, content: MessageContent) -> Message | None:
        if self.message_id is None:
            message = await self._make(content)
            if content.media is None:
                return message
        shown = await self._edit(content)
        if content.media is not None and not self.has_picture:
            await self._note(has_picture=True)
        return shown

    async def _make(self, content: MessageContent) -> Message:
        request = self._job.request
        message = await self._bot.send_message(
            self.chat_id,
            content.text,
            message_thread_id=request.thread_id,
            reply_parameters=as_reply(request.reply_to),
            reply_markup=content.keyboard,
            parse_mode=None,
            request_timeout=TEXT_TIMEOUT_S,
        )
        self.message_id = message.message_id
        await self._note(has_picture=False)
        return message

    async def _edit(self, content: MessageContent) -> Message | None:
        method = self._edit_method(content)
        shown = await self._bot(method, request_timeout=content.timeout_s)
        return shown if isinstance(shown, Message) else None

    def _edit_method(self, content: MessageContent) -> TelegramMethod[Message | bool]:
        where: dict[str, Any] = {
            "chat_id": self.chat_id,
            "message_id": self.message_id,
            "reply_markup": content.keyboard,
        }
        if content.media is not None:
            media = content.media.model_copy(update={"caption": content.text, "parse_mode": None})
            return EditMessageMedia(media=media, **where)
        if self.has_picture:
            return EditMessageCaption(caption=content.text, parse_mode=None, **where)
        return EditMessageText(text=content.text, parse_mode=None, **where)

    async def _note(self, *, has_picture: bool) -> None:
        self.has_picture = has_picture
        if self.message_id is not None and self._store is not None:
            shown = StatusMessageId(self.message_id, has_picture)
            await self._store.set_status_message(self._job, shown)
