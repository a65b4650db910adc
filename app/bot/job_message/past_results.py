"""Results that are sent once more: all of the last ones as an album, or one with its buttons."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import BufferedInputFile, InputMediaPhoto, InputMediaVideo, MediaUnion

from app.bot.job_message.captions import Captions
from app.bot.job_message.clip_media import clip_as_video, kind_of, send_clip
from app.bot.job_message.job_buttons import result_keyboard
from app.bot.job_message.sharing import can_share
from app.bot.job_message.status_message import UPLOAD_TIMEOUT_S
from app.bot.requester import Requester, as_reply
from app.jobs.model import Job
from models.clips.interface import ClipKind
from models.pictures.encoding import encode_jpeg
from models.pictures.reading import open_picture

PHOTO_SIDE_PX: Final = 2560
"""As much as Telegram keeps of a photo."""


class PastResults:
    """Sends them as photos or clips, in the requester's language.

    Raises PictureError or OSError where one is gone.

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
            await self._in_album(number, job, from_copies=from_copies)
            for number, job in enumerate(jobs, start=1)
        ]
        await self._bot.send_media_group(
            self._requester.chat_id,
            media,
            message_thread_id=self._requester.thread_id,
            reply_parameters=as_reply(self._requester.reply_to),
            request_timeout=UPLOAD_TIMEOUT_S,
        )

    async def _in_album(self, number: int, job: Job, *, from_copies: bool) -> MediaUnion:
        """A clip of whatever kind is a video there: albums take no others."""
        caption = self._captions.numbered(number, job)
        kind = kind_of(job)
        if kind is None:
            photo = await _photo(job, from_copies=from_copies)
            return InputMediaPhoto(media=photo, caption=caption, parse_mode=None)
        if kind is ClipKind.VIDEO and from_copies and job.result_file_id is not None:
            return InputMediaVideo(media=job.result_file_id, caption=caption, parse_mode=None)
        return await clip_as_video(job, caption=caption)

    async def _send(self, job: Job, *, from_copies: bool) -> None:
        caption = self._captions.ready(job)
        keyboard = result_keyboard([job], can_share=await can_share(self._bot))
        where: dict[str, Any] = {
            "message_thread_id": self._requester.thread_id,
            "reply_parameters": as_reply(self._requester.reply_to),
        }
        if job.request.clip is not None:
            await send_clip(
                self._bot,
                job,
                self._requester.chat_id,
                caption=caption,
                keyboard=keyboard,
                from_copy=from_copies,
                **where,
            )
            return
        await self._bot.send_photo(
            self._requester.chat_id,
            await _photo(job, from_copies=from_copies),
            caption=caption,
            parse_mode=None,
            reply_markup=keyboard,
            request_timeout=UPLOAD_TIMEOUT_S,
            **where,
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
