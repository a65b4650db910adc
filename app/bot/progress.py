"""Tells people how their pictures come along: `app.jobs.ports.Reporter` over Telegram."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Collection, Coroutine, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiogram import Bot
from aiogram.utils.i18n import I18n

from app.bot.card import Card
from app.bot.delivery import Deliverer
from app.bot.pacing import Pacer
from app.bot.showing import Showing
from app.bot.status_message import StatusMessage
from app.jobs.job import Failure, Job, JobState
from app.jobs.ports import JobView, RecipientGone, Studio
from models.interface import StepReport
from styles.catalog import Catalog

log = logging.getLogger(__name__)

CardKey = int | tuple[int, str]
"""A job's id, or the user and the name of an album."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """At least so many seconds between two edits of one message."""

    private_s: float = 3.0
    group_s: float = 6.0
    patient_factor: float = 5.0
    """So many times rarer where nothing urgent is shown."""

    def every_s(self, chat_id: int, showing: Showing) -> float:
        pause_s = self.private_s if chat_id > 0 else self.group_s
        return pause_s if showing.is_urgent else pause_s * self.patient_factor


@dataclass(slots=True)
class _Entry:
    """A card and the open jobs it stands for: one, or those of an album."""

    card: Card
    showing: Showing
    members: dict[int, Job] = field(default_factory=dict)


class ChatReporter:
    """One card per open job (or album), from the first "please wait" to the result.

    What arrives here between two edits replaces what was there: only the latest counts.
    """

    def __init__(
        self,
        bot: Bot,
        *,
        i18n: I18n,
        catalog: Catalog,
        pacer: Pacer,
        pace: Pace | None = None,
        admin_ids: Collection[int] = (),
    ) -> None:
        self._bot = bot
        self._i18n = i18n
        self._pacer = pacer
        self._pace = pace or Pace()
        self._admin_ids = admin_ids
        self._deliverer = Deliverer(bot, i18n=i18n, catalog=catalog)
        self._studio: Studio | None = None
        self._entries: dict[CardKey, _Entry] = {}
        self._chores: set[asyncio.Task[None]] = set()

    def connect(self, studio: Studio) -> None:
        """Comes before everything else: the studio and its reporter know each other."""
        self._studio = studio

    async def close(self, timeout_s: float = 1.0) -> None:
        """End all editing; what is owed to people is on the studio's disk."""
        cards = [entry.card for entry in self._entries.values()]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await asyncio.gather(*(card.close() for card in cards))
        for card in cards:
            card.abandon()
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)

    def waiting(self, job: Job, place: int) -> None:
        entry = self._entry(job)
        entry.showing.waiting(job, place)
        entry.card.changed()

    def started(self, job: Job) -> None:
        entry = self._entry(job)
        entry.showing.started(job)
        entry.card.changed()

    def stepped(self, job: Job, report: StepReport) -> None:
        entry = self._entry(job)
        entry.showing.stepped(job, report)
        entry.card.changed()

    def cancelled(self, job: Job) -> None:
        entry = self._entry(job)
        if not self._leave(entry, job):
            self._do(self._take_back(entry.card, job))

    async def deliver(self, job: Job) -> None:
        card = self._entry(job).card
        await card.close()
        await self._deliverer.bring(job, card.message)
        self._entries.pop(_key(job), None)

    async def deliver_album(self, jobs: list[Job]) -> None:
        card = self._entry(jobs[0]).card
        await card.close()
        await self._deliverer.bring_album(jobs, card.message)
        self._entries.pop(_key(jobs[0]), None)

    async def failed(self, job: Job, failure: Failure) -> None:
        entry = self._entry(job)
        message = entry.card.message
        if len(entry.members) > 1:
            # The others of the album go on in the card; this one's news come beside it.
            message = StatusMessage(self._bot, job.request, _keep_nothing)
        else:
            await entry.card.close()
        try:
            await self._deliverer.bring_bad_news(job, failure, message)
        except RecipientGone:
            await self._warn_admins(job)  # a job that ends the process is so for others, too
            raise
        await self._warn_admins(job)
        self._leave(entry, job)

    async def _warn_admins(self, job: Job) -> None:
        """Before the studio notes that the bad news were told: else a restart forgets them."""
        if job.state is JobState.SET_ASIDE:
            await self._deliverer.warn_admins(job, self._admin_ids)

    async def _take_back(self, card: Card, job: Job) -> None:
        await card.close()
        await self._deliverer.take_back(job, card.message)

    def _leave(self, entry: _Entry, job: Job) -> bool:
        """Take a job out of its album; False if it was the last of its card, which then goes."""
        entry.members.pop(job.id, None)
        if not entry.members:
            self._entries.pop(_key(job), None)
            return False
        entry.showing.left(job, entry.members)
        entry.card.changed()
        return True

    def _entry(self, job: Job) -> _Entry:
        entry = self._entries.get(_key(job))
        if entry is None:
            entry = self._entries[_key(job)] = self._new_entry(job)
        message_id = entry.card.message.message_id
        if job.id not in entry.members:
            entry.members[job.id] = job
            if message_id is not None and job.status_message_id != message_id:
                has_picture = entry.card.message.has_picture
                self._do(self._remember([job.id], message_id, has_picture))
        return entry

    def _new_entry(self, job: Job) -> _Entry:
        members: dict[int, Job] = {}
        showing = Showing(job, i18n=self._i18n, views=self._views)
        message = StatusMessage(
            self._bot,
            job.request,
            partial(self._remember, members),
            message_id=job.status_message_id,
            has_picture=job.status_has_picture,
        )
        card = Card(
            message,
            render=showing.render,
            pacer=self._pacer,
            every_s=partial(self._pace.every_s, job.request.chat_id, showing),
            on_shown=showing.was_shown,
            on_gone=partial(self._drop_chat, job.request.chat_id),
        )
        return _Entry(card, showing, members)

    # What the studio is asked and told

    @property
    def _desk(self) -> Studio:
        if self._studio is None:
            raise RuntimeError("connect() comes first")
        return self._studio

    async def _views(self, user_id: int) -> list[JobView]:
        return await self._desk.views(user_id)

    async def _remember(self, job_ids: Iterable[int], message_id: int, has_picture: bool) -> None:
        for job_id in list(job_ids):
            await self._desk.set_status_message(job_id, message_id, has_picture=has_picture)

    def _drop_chat(self, chat_id: int) -> None:
        # In a task of its own: it ends in `cancelled`, which ends the card that found out.
        self._do(self._desk.drop_chat(chat_id))

    def _do(self, chore: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_logged(chore))
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)


def _key(job: Job) -> CardKey:
    album = job.request.album
    return job.id if album is None else (job.request.user_id, album)


async def _keep_nothing(message_id: int, has_picture: bool) -> None:
    """Nobody will come back to this message."""


async def _logged(chore: Coroutine[Any, Any, None]) -> None:
    try:
        await chore
    except Exception:
        log.exception("a chore of the reporter failed")
