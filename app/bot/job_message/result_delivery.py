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
from app.jobs.interface import ResultMessage, StatusMessageStore, WorkerState
from app.jobs.model import Delivery, Failure, Job

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
        """The message becomes the picture, or the file, with its buttons."""
        as_file = await goes_as_file(job)
        with _refusals_as_answers():
            shares = await can_share(self._bot)
            try:
                shown = await message.show(self._result(job, as_file=as_file, shares=shares))
            except (TelegramBadRequest, TelegramEntityTooLarge) as error:
                # Something about this message, or this photo, is not to Telegram's liking.
                log.warning(
                    "result goes as a file in a new message",
                    extra={"job": job.id, "error": type(error).__name__},
                )
                message.forget()
                as_file = True
                shown = await message.show(self._result(job, as_file=True, shares=shares))
        if message.message_id is not None:
            file_id = None if shown is None else file_id_of(shown)
            where = ResultMessage(message.message_id, file_id, is_photo=not as_file)
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
        await self._tell_admins(text, job, admin_ids)

    async def tell_admins_of_worker(
        self,
        job: Job,
        device: str,
        state: WorkerState,
        workers_left: int,
        *,
        admin_ids: Collection[int],
    ) -> None:
        """A worker that ended in a job is worth a look as well; never raises."""
        with self._language_of(job):
            text = status_texts.worker_ended(job, device, state, workers_left)
        await self._tell_admins(text, job, admin_ids)

    async def _tell_admins(self, text: str, job: Job, admin_ids: Collection[int]) -> None:
        for admin_id in admin_ids:
            try:
                await self._bot.send_message(admin_id, text, parse_mode=None)
            except AiogramError as error:
                facts = {"job": job.id, "error": type(error).__name__}
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

    def _result(self, job: Job, *, as_file: bool, shares: bool) -> MessageContent:
        caption = self._caption(job)
        with self._language_of(job):
            media = media_of(job, as_file=as_file)
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
    if job.request.delivery is Delivery.FILE:
        return True
    if job.result is None:
        raise FileNotFoundError(f"job {job.id} has no result")
    return (await asyncio.to_thread(job.result.stat)).st_size > MAX_PHOTO_BYTES


def media_of(job: Job, *, as_file: bool, caption: str | None = None) -> Media:
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
