"""Results that are sent once more: all of the last ones as an album, or one with its buttons."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import BufferedInputFile, InputMediaPhoto, MediaUnion

from app.bot.job_message.captions import Captions
from app.bot.job_message.job_buttons import result_keyboard
from app.bot.job_message.sharing import can_share
from app.bot.job_message.status_message import UPLOAD_TIMEOUT_S
from app.bot.requester import Requester, as_reply
from app.jobs.model import Job
from models.pictures import encode_jpeg, open_picture

PHOTO_SIDE_PX: Final = 2560
"""As much as Telegram keeps of a photo."""


class PastResults:
    """Sends them as photos, in the requester's language; raises PictureError where one is gone.

    Telegram's own copy is sent where there is one, else the file.
    """

    def __init__(self, bot: Bot, captions: Captions, requester: Requester) -> None:
        self._bot = bot
        self._captions = captions
        self._requester = requester

    async def send_album(self, jobs: Sequence[Job]) -> None:
        """Two to ten, numbered in their captions."""
        try:
            await self._send_album(jobs, from_copies=True)
        except TelegramBadRequest:
            # Telegram promises no eternal life to its copies.
            await self._send_album(jobs, from_copies=False)

    async def send(self, job: Job) -> None:
        """One, with the buttons of a result."""
        try:
            await self._send(job, from_copies=True)
        except TelegramBadRequest:
            await self._send(job, from_copies=False)

    async def _send_album(self, jobs: Sequence[Job], *, from_copies: bool) -> None:
        media: list[MediaUnion] = [
            InputMediaPhoto(
                media=await _photo(job, from_copies=from_copies),
                caption=self._captions.numbered(number, job),
                parse_mode=None,
            )
            for number, job in enumerate(jobs, start=1)
        ]
        await self._bot.send_media_group(
            self._requester.chat_id,
            media,
            message_thread_id=self._requester.thread_id,
            reply_parameters=as_reply(self._requester.reply_to),
            request_timeout=UPLOAD_TIMEOUT_S,
        )

    async def _send(self, job: Job, *, from_copies: bool) -> None:
        await self._bot.send_photo(
            self._requester.chat_id,
            await _photo(job, from_copies=from_copies),
            caption=self._captions.ready(job),
            parse_mode=None,
            reply_markup=result_keyboard([job], can_share=await can_share(self._bot)),
            message_thread_id=self._requester.thread_id,
            reply_parameters=as_reply(self._requester.reply_to),
            request_timeout=UPLOAD_TIMEOUT_S,
        )


async def _photo(job: Job, *, from_copies: bool) -> str | BufferedInputFile:
    assert job.result is not None  # noqa: S101 - it was delivered
    if from_copies and job.result_is_photo and job.result_file_id is not None:
        return job.result_file_id
    data = await asyncio.to_thread(_read, job.result)
    return BufferedInputFile(data, f"painting-{job.id}.jpg")


def _read(result: Path) -> bytes:
    """Blocking: also of a print, as much as can be shown as a photo. Raises PictureError."""
    return encode_jpeg(open_picture(result, long_side_px=PHOTO_SIDE_PX))
