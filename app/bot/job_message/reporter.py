"""Tells people how their pictures come along: `app.jobs.interface.Reporter` over Telegram."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiogram import Bot
from aiogram.utils.i18n import I18n

from app.bot.job_message import status_texts
from app.bot.job_message.captions import Captions
from app.bot.job_message.result_delivery import ResultDelivery
from app.bot.job_message.status_content import StatusContent
from app.bot.job_message.status_editor import StatusEditor
from app.bot.job_message.status_message import StatusMessage
from app.bot.transport.outgoing import Pacer
from app.jobs.interface import RecipientGone, StatusMessageStore, WorkerState
from app.jobs.model import Failure, Job, JobState
from models.interface import StepReport
from styles.catalog import Catalog

log = logging.getLogger(__name__)

StatusKey = int | tuple[int, str]
"""A job's id, or the user and the name of an album."""


LanguageOf = Callable[[int], Awaitable[str | None]]
"""Which language a person has chosen, if any."""


async def _unknown(_: int) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """At least so many seconds between two edits of one message."""

    private_s: float = 3.0
    group_s: float = 6.0
    patient_factor: float = 5.0
    """So many times rarer where nothing urgent is shown."""

    def every_s(self, chat_id: int, content: StatusContent) -> float:
        pause_s = self.private_s if chat_id > 0 else self.group_s
        return pause_s if content.is_urgent else pause_s * self.patient_factor


@dataclass(slots=True)
class _Entry:
    """A status message and the open jobs it stands for: one, or those of an album."""

    editor: StatusEditor
    content: StatusContent
    members: dict[int, Job] = field(default_factory=dict)


class ChatReporter:
    """One status message per open job (or album), from the first "please wait" to the result.

    What arrives here between two edits replaces what was there: only the latest counts.
    """

    def __init__(
        self,
        bot: Bot,
        *,
        status_messages: StatusMessageStore,
        i18n: I18n,
        catalog: Catalog,
        captions: Captions,
        pacer: Pacer,
        pace: Pace | None = None,
        admin_ids: Collection[int] = (),
        language_of: LanguageOf = _unknown,
    ) -> None:
        """`language_of` is asked about admins."""
        self._bot = bot
        self._status_messages = status_messages
        self._i18n = i18n
        self._catalog = catalog
        self._pacer = pacer
        self._pace = pace or Pace()
        self._admin_ids = admin_ids
        self._language_of = language_of
        self._is_paused = False
        self._delivery = ResultDelivery(bot, messages=status_messages, i18n=i18n, captions=captions)
        self._unreachable_chats: asyncio.Queue[int] = asyncio.Queue()
        self._entries: dict[StatusKey, _Entry] = {}
        self._background: set[asyncio.Task[None]] = set()

    async def close(self, timeout_s: float = 1.0) -> None:
        """End all editing; what is owed to people is in the jobs' database."""
        editors = [entry.editor for entry in self._entries.values()]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await asyncio.gather(*(editor.close() for editor in editors))
        for editor in editors:
            editor.abandon()
        for work in self._background:
            work.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    async def next_unreachable_chat(self) -> int:
        return await self._unreachable_chats.get()

    def waiting(self, job: Job, place: int, seconds_left: float) -> None:
        entry = self._entry(job)
        entry.content.waiting(job, place, seconds_left)
        entry.editor.changed()

    def started(self, job: Job) -> None:
        entry = self._entry(job)
        entry.content.started(job)
        entry.editor.changed()

    def stepped(self, job: Job, report: StepReport) -> None:
        entry = self._entry(job)
        entry.content.stepped(job, report)
        entry.editor.changed()

    def painting_ended(self, job: Job) -> None:
        entry = self._entries.get(_key(job))
        if entry is not None and entry.content.painting_ended(job):
            entry.editor.changed()

    def cancelled(self, job: Job) -> None:
        entry = self._entry(job)
        if not self._leave(entry, job):
            self._start(self._show_cancelled(entry.editor, job))

    async def deliver(self, job: Job) -> None:
        editor = self._entry(job).editor
        await editor.close()
        await self._delivery.deliver(job, editor.message)
        self._entries.pop(_key(job), None)

    async def deliver_album(self, jobs: list[Job]) -> None:
        editor = self._entry(jobs[0]).editor
        await editor.close()
        await self._delivery.deliver_album(jobs, editor.message)
        self._entries.pop(_key(jobs[0]), None)

    async def failed(self, job: Job, failure: Failure) -> None:
        entry = self._entry(job)
        message = entry.editor.message
        if len(entry.members) > 1:
            # The others of the album go on in that message; this one's news come beside it.
            message = StatusMessage(self._bot, job, store=None)
        else:
            await entry.editor.close()
        try:
            await self._delivery.deliver_failure(job, failure, message)
        except RecipientGone:
            await self._warn_admins(job)  # a job that ends the process is so for others, too
            raise
        await self._warn_admins(job)
        self._leave(entry, job)

    def worker_ended(
        self, job: Job, device: str, state: WorkerState, *, workers_left: int, returns: bool
    ) -> None:
        with self._i18n.context(), self._i18n.use_locale(job.request.language):
            text = status_texts.worker_ended(job, device, state, workers_left, returns=returns)
        self._start(self._delivery.tell_admins(text, self._admin_ids, job))

    def painting_paused(self) -> None:
        self._is_paused = True
        self._start(self._tell_admins(status_texts.painting_paused))

    def painting_resumed(self, device: str) -> None:
        self._is_paused = False
        self._start(self._tell_admins(partial(status_texts.painting_resumed, device)))

    async def _tell_admins(self, text: Callable[[], str]) -> None:
        for admin_id in self._admin_ids:
            language = await self._language_of(admin_id) or self._i18n.default_locale
            with self._i18n.context(), self._i18n.use_locale(language):
                said = text()
            await self._delivery.tell_admins(said, [admin_id])

    async def _warn_admins(self, job: Job) -> None:
        """Before the job service notes that its owner was told: else a restart forgets them."""
        if job.state is JobState.SET_ASIDE:
            await self._delivery.warn_admins(job, self._admin_ids)

    async def _show_cancelled(self, editor: StatusEditor, job: Job) -> None:
        await editor.close()
        await self._delivery.show_cancelled(job, editor.message)

    def _leave(self, entry: _Entry, job: Job) -> bool:
        """Take a job out of its album; False if it was the last one: then the entry goes."""
        entry.members.pop(job.id, None)
        if not entry.members:
            self._entries.pop(_key(job), None)
            return False
        entry.content.left(job, entry.members)
        entry.editor.changed()
        return True

    def _entry(self, job: Job) -> _Entry:
        entry = self._entries.get(_key(job))
        if entry is None:
            entry = self._entries[_key(job)] = self._new_entry(job)
        entry.members.setdefault(job.id, job)
        return entry

    def _new_entry(self, job: Job) -> _Entry:
        chat_id = job.request.chat_id
        content = StatusContent(
            job, i18n=self._i18n, catalog=self._catalog, is_paused=lambda: self._is_paused
        )
        editor = StatusEditor(
            StatusMessage(self._bot, job, self._status_messages),
            render=content.render,
            pacer=self._pacer,
            every_s=partial(self._pace.every_s, chat_id, content),
            on_shown=content.was_shown,
            on_gone=partial(self._unreachable_chats.put_nowait, chat_id),
        )
        return _Entry(editor, content)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_logged(work))
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _key(job: Job) -> StatusKey:
    album = job.request.album
    return job.id if album is None else (job.request.user_id, album)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("a background task of the reporter failed")
