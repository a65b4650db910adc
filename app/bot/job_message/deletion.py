"""Takes the messages of deleted results out of their chats."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest
from aiogram.types import (
    BufferedInputFile,
    CallbackQuery,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
)
from aiogram.utils.i18n import gettext as _
from PIL import Image

from app.bot.transport.telegram_errors import is_message_gone
from app.jobs.model import Job
from models.pictures.encoding import encode_jpeg

BLANK_SIZE_PX = (320, 240)
BLANK_COLOR = "#d8d8d8"


async def delete_messages(query: CallbackQuery, jobs: Sequence[Job]) -> None:
    """Take away what shows the results, and what was pressed; never raises for Telegram's sake.

    Telegram deletes no message that is older than two days: of such a one the picture is replaced.
    """
    bot = query.bot
    assert bot is not None  # noqa: S101 - it came from one
    documents = {
        job.result_message_id
        for job in jobs
        if not job.result_is_photo and job.request.clip is None
    }
    by_chat: defaultdict[int, set[int]] = defaultdict(set)
    for job in jobs:
        if job.result_message_id is not None:
            by_chat[job.request.chat_id].add(job.result_message_id)
    if query.message is not None:
        by_chat[query.message.chat.id].add(query.message.message_id)
        if isinstance(query.message, Message) and _is_file(query.message):
            documents.add(query.message.message_id)
    for chat_id, message_ids in by_chat.items():
        with suppress(AiogramError):
            try:
                await bot.delete_messages(chat_id, sorted(message_ids))
            except TelegramBadRequest:
                for message_id in sorted(message_ids):
                    is_document = message_id in documents
                    await _delete_or_blank(bot, chat_id, message_id, is_document=is_document)


def _is_file(message: Message) -> bool:
    """An animation has a document beside it, for those who know no animations."""
    return message.document is not None and message.animation is None


async def _delete_or_blank(bot: Bot, chat_id: int, message_id: int, *, is_document: bool) -> None:
    try:
        await bot.delete_message(chat_id, message_id)
    except TelegramBadRequest as error:
        if is_message_gone(error):
            return
        blank = BufferedInputFile(
            encode_jpeg(Image.new("RGB", BLANK_SIZE_PX, BLANK_COLOR)), "deleted.jpg"
        )
        # In an album a file can only be replaced by a file.
        kind = InputMediaDocument if is_document else InputMediaPhoto
        with suppress(TelegramBadRequest):
            await bot.edit_message_media(
                kind(media=blank, caption=_("Deleted.")), chat_id=chat_id, message_id=message_id
            )
