"""Makes a status message the result, or says in it why there is none."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Collection, Iterator, Sequence

from aiogram import Bot
from aiogram.exceptions import (
    AiogramError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramMigrateToChat,
)
from aiogram.types import FSInputFile, InputMediaDocument, InputMediaPhoto, MediaUnion, Message
from aiogram.utils.i18n import I18n

from app.bot.job_message import status_texts
from app.bot.job_message.captions import Captions
from app.bot.job_message.clip_media import clip_file_id, clip_media, kind_of, send_clip
from app.bot.job_message.job_buttons import result_keyboard
from app.bot.job_message.sharing import can_share
from app.bot.job_message.status_message import (
    UPLOAD_TIMEOUT_S,
    Media,
    MessageContent,
    StatusMessage,
)
from app.bot.requester import as_reply
from app.bot.transport.outgoing import allow_duplicates
from app.bot.transport.telegram_errors import as_delivery_answer
from app.jobs.interface import ResultMessage, StatusMessageStore
from app.jobs.model import Delivery, Failure, Job
from models.clips.interface import ClipKind

log = logging.getLogger(__name__)

MAX_PHOTO_BYTES = 10_000_000
"""What Telegram takes as a photo; anything larger goes as a file."""


class ResultDelivery:
    """Turns status messages into results. Every method may raise RetryLater and RecipientGone.

    Whatever else is raised is a refusal that no second try will change.
    """

    def __init__(
        self, bot: Bot, *, messages: StatusMessageStore, i18n: I18n, captions: Captions
    ) -> None:
        self._bot = bot
        self._messages = messages
        self._i18n = i18n
        self._captions = captions

    async def deliver(self, job: Job, message: StatusMessage) -> None:
        """The message becomes the picture, the clip or the file, with its buttons.

        A video note is a message of its own, and can say nothing: the status message does.
        """
        if kind_of(job) is ClipKind.VIDEO_NOTE and await self._deliver_note(job, message):
            return
        as_file = await goes_as_file(job)
        with _refusals_as_answers():
            shares = await can_share(self._bot)
            try:
                shown = await message.show(await self._result(job, as_file=as_file, shares=shares))
            except (TelegramBadRequest, TelegramEntityTooLarge) as error:
                # Something about this message, or this photo, is not to Telegram's liking.
                log.warning(
                    "result goes as a file in a new message",
                    extra={"job": job.id, "error": type(error).__name__},
                )
                message.forget()
                as_file = True
                shown = await message.show(await self._result(job, as_file=True, shares=shares))
        if message.message_id is not None:
            await self._note_shown(job, message.message_id, shown, as_file=as_file)

    async def _deliver_note(self, job: Job, message: StatusMessage) -> bool:
        """False where the person takes none: then it comes as a video.

        It can't come by an edit. Where the connection breaks before Telegram's confirmation it is
        sent again: better twice than never. Once it is noted, it has arrived.
        """
        request = job.request
        with _refusals_as_answers():
            if job.result_message_id is None:
                with self._language_of(job):
                    keyboard = result_keyboard([job], can_share=False)
                try:
                    shown = await send_clip(
                        self._bot,
                        job,
                        message.chat_id,
                        caption="",
                        keyboard=keyboard,
                        message_thread_id=request.thread_id,
                        reply_parameters=as_reply(request.reply_to),
                    )
                except TelegramMigrateToChat as error:
                    message.move(error.migrate_to_chat_id)
                    raise
                except (TelegramBadRequest, TelegramEntityTooLarge) as error:
                    facts = {"job": job.id, "error": type(error).__name__}
                    log.warning("a video note goes as a video", extra=facts)
                    return False
                await self._note_shown(job, shown.message_id, shown, as_file=False)
            with contextlib.suppress(TelegramBadRequest):
                await message.show(MessageContent(self._caption(job)))
        return True

    async def _note_shown(
        self, job: Job, message_id: int, shown: Message | None, *, as_file: bool
    ) -> None:
        if job.request.clip is None:
            file_id = None if shown is None else file_id_of(shown)
            where = ResultMessage(message_id, file_id, is_photo=not as_file)
        else:
            file_id = None if shown is None else clip_file_id(job, shown)
            where = ResultMessage(message_id, file_id, is_photo=False)
        await self._messages.set_result_message(job, where)

    async def deliver_album(self, jobs: Sequence[Job], message: StatusMessage) -> None:
        """The results as one album, and buttons for all of them below it.

        Then the message has had its day.

        An album can't come by edits. Where the connection breaks before Telegram's confirmation
        nobody knows whether it arrived, and it is sent again: better twice than never.
        """
        # Telegram doesn't mix photos and files.
        as_files = any([await goes_as_file(job) for job in jobs])
        request = jobs[0].request
        media: list[MediaUnion] = [
            media_of(job, as_file=as_files, caption=self._caption(job)) for job in jobs
        ]
        with _refusals_as_answers():
            try:
                shown = await self._bot.send_media_group(
                    message.chat_id,
                    media,
                    message_thread_id=request.thread_id,
                    reply_parameters=as_reply(request.reply_to),
                    request_timeout=UPLOAD_TIMEOUT_S,
                )
            except TelegramMigrateToChat as error:
                message.move(error.migrate_to_chat_id)
                raise
        for job, each in zip(jobs, shown, strict=False):
            where = ResultMessage(each.message_id, file_id_of(each), is_photo=not as_files)
            await self._messages.set_result_message(job, where)
        with contextlib.suppress(AiogramError):
            await self._offer_variations(jobs, message.chat_id)
        with contextlib.suppress(AiogramError):
            await message.delete()

    async def _offer_variations(self, jobs: Sequence[Job], chat_id: int) -> None:
        job, shares = jobs[0], await can_share(self._bot)
        with self._language_of(job):
            text = status_texts.under_album()
            keyboard = result_keyboard(jobs, can_share=shares)
        with allow_duplicates():
            await self._bot.send_message(
                chat_id,
                text,
                message_thread_id=job.request.thread_id,
                reply_markup=keyboard,
                disable_notification=True,
                parse_mode=None,
            )

    async def deliver_failure(self, job: Job, failure: Failure, message: StatusMessage) -> None:
        """One sentence in the place of the picture."""
        with self._language_of(job):
            content = MessageContent(status_texts.failure(failure))
        with _refusals_as_answers():
            await message.show(content)

    async def warn_admins(self, job: Job, admin_ids: Collection[int]) -> None:
        """A job that took the process down is worth a look; never raises."""
        with self._language_of(job):
            text = status_texts.set_aside(job)
        await self.tell_admins(text, admin_ids, job)

    async def tell_admins(
        self, text: str, admin_ids: Collection[int], job: Job | None = None
    ) -> None:
        """Something that is worth a look, perhaps of a job; never raises."""
        for admin_id in admin_ids:
            try:
                await self._bot.send_message(admin_id, text, parse_mode=None)
            except AiogramError as error:
                facts = {"job": job.id if job else None, "error": type(error).__name__}
                log.warning("an admin could not be warned", extra=facts)

    async def show_cancelled(self, job: Job, message: StatusMessage) -> None:
        """A cancelled job leaves one line, where anything was said of it; never raises."""
        with self._language_of(job):
            content = MessageContent(status_texts.cancelled())
        await message.locate()
        with contextlib.suppress(AiogramError):
            if message.has_picture:
                # Thrown away means that the half-painted picture goes as well.
                with contextlib.suppress(TelegramBadRequest):
                    await message.delete()
            if message.message_id is not None:
                await message.show(content)

    async def _result(self, job: Job, *, as_file: bool, shares: bool) -> MessageContent:
        caption = self._caption(job)
        if job.request.clip is None or as_file:
            media: Media = media_of(job, as_file=as_file)
        else:
            media = await clip_media(job)
        with self._language_of(job):
            keyboard = result_keyboard([job], can_share=shares)
            return MessageContent(caption, keyboard, media, timeout_s=UPLOAD_TIMEOUT_S)

    def _caption(self, job: Job) -> str:
        with self._language_of(job):
            return self._captions.ready(job)

    @contextlib.contextmanager
    def _language_of(self, job: Job) -> Iterator[None]:
        with self._i18n.context(), self._i18n.use_locale(job.request.language):
            yield


async def goes_as_file(job: Job) -> bool:
    """By its owner's wish, or because it is too large for a photo. Raises OSError."""
    if job.request.clip is not None:
        return False
    if job.request.delivery is Delivery.FILE:
        return True
    if job.result is None:
        raise FileNotFoundError(f"job {job.id} has no result")
    return (await asyncio.to_thread(job.result.stat)).st_size > MAX_PHOTO_BYTES


def media_of(
    job: Job, *, as_file: bool, caption: str | None = None
) -> InputMediaPhoto | InputMediaDocument:
    """The result as something to send. Raises FileNotFoundError."""
    if job.result is None:
        raise FileNotFoundError(f"job {job.id} has no result")
    # Slugs are plain ASCII; a name typed by a stranger could not stand in a file name.
    slugs = [choice.preset for choice in job.request.styles if choice.preset is not None]
    name = "-".join(["painting", *slugs, str(job.id)]) + job.result.suffix
    file = FSInputFile(job.result, filename=name)
    if as_file:
        return InputMediaDocument(
            media=file, caption=caption, parse_mode=None, disable_content_type_detection=True
        )
    return InputMediaPhoto(media=file, caption=caption, parse_mode=None)


def file_id_of(message: Message) -> str | None:
    """Telegram's own copy of the picture that a message shows."""
    if message.photo:
        return message.photo[-1].file_id
    return message.document.file_id if message.document else None


@contextlib.contextmanager
def _refusals_as_answers() -> Iterator[None]:
    """Telegram's refusals as the answers that the queue understands."""
    try:
        yield
    except AiogramError as error:
        if (answer := as_delivery_answer(error)) is None:
            raise
        raise answer from error
