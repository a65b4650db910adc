"""Painted clips as Telegram wants them: an animation, a video or a video note, each with its facts.

Also where Telegram has a copy already and only its name is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiogram import Bot
from aiogram.types import (
    BufferedInputFile,
    FSInputFile,
    InlineKeyboardMarkup,
    InputMediaAnimation,
    InputMediaVideo,
    Message,
)

from app.bot.job_message.status_message import UPLOAD_TIMEOUT_S
from app.jobs.model import Job
from app.pictures.clip_facts import PlayerFacts, player_facts
from models.clips.interface import ClipKind

ClipMedia = InputMediaAnimation | InputMediaVideo


def kind_of(job: Job) -> ClipKind | None:
    """None for a photo."""
    return None if job.request.clip is None else job.request.clip.kind


def clip_file_id(job: Job, message: Message) -> str | None:
    """Telegram's own copy in a message, if that is of the job's kind: else it is of no use."""
    kind = kind_of(job)
    sent = None if kind is None else getattr(message, kind.value)
    return None if sent is None else str(sent.file_id)


async def clip_media(job: Job) -> ClipMedia:
    """The result as it goes into a message: a note, too, can only be a video there.

    Raises OSError.
    """
    if kind_of(job) is not ClipKind.ANIMATION:
        return await clip_as_video(job)
    facts = await asyncio.to_thread(player_facts, _result(job))
    return InputMediaAnimation(media=clip_upload(job), **_about(facts, kind_of(job)))


async def clip_as_video(job: Job, *, caption: str | None = None) -> InputMediaVideo:
    """Likewise, whatever its kind."""
    facts = await asyncio.to_thread(player_facts, _result(job))
    return InputMediaVideo(
        media=clip_upload(job),
        caption=caption,
        parse_mode=None,
        supports_streaming=True,
        **_about(facts, ClipKind.VIDEO),
    )


async def send_clip(
    bot: Bot,
    job: Job,
    chat_id: int,
    *,
    caption: str,
    keyboard: InlineKeyboardMarkup | None,
    from_copy: bool = False,
    **where: Any,
) -> Message:
    """Send it as a message of its own; a note can have no caption. Raises OSError, AiogramError."""
    where |= {"reply_markup": keyboard, "request_timeout": UPLOAD_TIMEOUT_S}
    kind = kind_of(job)
    if from_copy and job.result_file_id is not None:
        file: str | FSInputFile = job.result_file_id
        about: dict[str, Any] = {}
    else:
        facts = await asyncio.to_thread(player_facts, _result(job))
        file, about = clip_upload(job), _about(facts, kind)
    if kind is ClipKind.VIDEO_NOTE:
        return await bot.send_video_note(chat_id, file, **about, **where)
    where |= {"caption": caption, "parse_mode": None}
    if kind is ClipKind.ANIMATION:
        return await bot.send_animation(chat_id, file, **about, **where)
    return await bot.send_video(chat_id, file, supports_streaming=True, **about, **where)


def clip_upload(job: Job) -> FSInputFile:
    slugs: Sequence[str] = [each.preset for each in job.request.styles if each.preset is not None]
    return FSInputFile(_result(job), filename="-".join(["clip", *slugs, f"{job.id}.mp4"]))


def _about(facts: PlayerFacts, kind: ClipKind | None) -> dict[str, Any]:
    sides = {"length": facts.width_px}
    if kind is not ClipKind.VIDEO_NOTE:
        sides = {"width": facts.width_px, "height": facts.height_px}
    return sides | {"duration": round(facts.seconds), "thumbnail": _thumbnail(facts)}


def _thumbnail(facts: PlayerFacts) -> BufferedInputFile:
    return BufferedInputFile(facts.thumbnail, "thumbnail.jpg")


def _result(job: Job) -> Path:
    if job.result is None:
        raise FileNotFoundError(f"job {job.id} has no result")
    return job.result
