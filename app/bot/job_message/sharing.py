"""Results that go to another chat by inline mode: what is offered, and to whom."""

from __future__ import annotations

from collections.abc import Sequence

from aiogram import Bot
from aiogram.types import (
    InlineKeyboardButton,
    InlineQueryResultCachedDocument,
    InlineQueryResultCachedMpeg4Gif,
    InlineQueryResultCachedPhoto,
    InlineQueryResultCachedVideo,
    SwitchInlineQueryChosenChat,
)
from aiogram.utils.i18n import gettext as _

from app.bot.job_message.captions import Captions
from app.bot.job_message.clip_media import kind_of
from app.jobs.model import Job
from models.clips.interface import ClipKind

InlineResult = (
    InlineQueryResultCachedPhoto
    | InlineQueryResultCachedDocument
    | InlineQueryResultCachedMpeg4Gif
    | InlineQueryResultCachedVideo
)


async def can_share(bot: Bot) -> bool:
    """Whether the owner has switched inline mode on at @BotFather; asked once of Telegram."""
    return bool((await bot.me()).supports_inline_queries)


def share_button(job: Job) -> InlineKeyboardButton:
    """Lets the person choose a chat; there the query names the job."""
    return InlineKeyboardButton(
        text=_("📤 Share"),
        switch_inline_query_chosen_chat=SwitchInlineQueryChosenChat(
            query=str(job.id),
            allow_user_chats=True,
            allow_group_chats=True,
            allow_channel_chats=True,
        ),
    )


def inline_results(jobs: Sequence[Job], captions: Captions) -> list[InlineResult]:
    """Telegram's own copies, in the current language; what it has none of is left out."""
    results: list[InlineResult] = []
    for job in jobs:
        if job.result_file_id is None:
            continue
        caption = captions.shared(job)
        if job.request.clip is not None:
            results.extend(_clip(job, job.result_file_id, captions.title(job), caption))
        elif job.result_is_photo:
            results.append(
                InlineQueryResultCachedPhoto(
                    id=str(job.id),
                    photo_file_id=job.result_file_id,
                    caption=caption,
                    parse_mode=None,
                )
            )
        else:
            results.append(
                InlineQueryResultCachedDocument(
                    id=str(job.id),
                    title=captions.title(job),
                    document_file_id=job.result_file_id,
                    caption=caption,
                    parse_mode=None,
                )
            )
    return results


def _clip(job: Job, file_id: str, name: str, caption: str) -> list[InlineResult]:
    """None of a video note, which Telegram doesn't send again like this."""
    match kind_of(job):
        case ClipKind.ANIMATION:
            return [
                InlineQueryResultCachedMpeg4Gif(
                    id=str(job.id), mpeg4_file_id=file_id, caption=caption, parse_mode=None
                )
            ]
        case ClipKind.VIDEO:
            return [
                InlineQueryResultCachedVideo(
                    id=str(job.id),
                    video_file_id=file_id,
                    title=name or _("A painting"),
                    caption=caption,
                    parse_mode=None,
                )
            ]
    return []
