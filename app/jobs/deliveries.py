"""Delivers finished pictures, and bad news: in order within a chat, again until it works.

The disk holds what is owed, so the task of a chat can end at any moment and begin again after a
restart.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from app.jobs.interface import RecipientGone, Reporter, RetryLater
from app.jobs.job_log import log_job
from app.jobs.limits import JobLimits
from app.jobs.model import Failure, Job, JobState
from app.jobs.repository import JobRepository

logger = logging.getLogger(__name__)

MAX_REFUSALS = 5
"""How often the reporter may fail in a way nobody foresaw before the job is given up."""
MAX_DOUBLINGS = 16


@dataclass(slots=True)
class _ChatQueue:
    """What one chat is owed, oldest first, and the task that sees to it."""

    chat_id: int
    owed: deque[int] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None
    busy_with: frozenset[int] = frozenset()
    """Jobs that are on their way in this moment."""


class DeliveryService:
    """One queue per chat that is owed something; chats don't wait for each other."""

    def __init__(
        self,
        *,
        repository: JobRepository,
        reporter: Reporter,
        limits: JobLimits,
        on_gone: Callable[[int], Awaitable[None]],
    ) -> None:
        """`on_gone` is told of a chat that nothing will ever reach again."""
        self._repository = repository
        self._reporter = reporter
        self._on_gone = on_gone
        self._limits = limits
        self._chats: dict[int, _ChatQueue] = {}
        self._closing = False
        self.delivery_lock = asyncio.Lock()
        """Held while it is decided what is on its way, and while a job is cancelled."""

    def take(self, job: Job) -> None:
        """See to what a finished job's owner is owed; returns at once.

        Also for a cancelled job of an album: the others may have waited for it alone.
        """
        self._owe(job.request.chat_id, job.id)

    def _owe(self, chat_id: int, job_id: int) -> None:
        if self._closing:
            return
        chat = self._chats.setdefault(chat_id, _ChatQueue(chat_id))
        chat.owed.append(job_id)
        if chat.task is None:
            chat.task = asyncio.create_task(self._run(chat))

    def is_delivering(self, job_id: int) -> bool:
        """Whether this job's result is on its way in this moment."""
        return any(job_id in chat.busy_with for chat in self._chats.values())

    async def drop(self, job_ids: Collection[int]) -> None:
        """Break off what is on its way of these jobs; what else their chats are owed goes on."""
        for chat in list(self._chats.values()):
            if chat.task is None or chat.busy_with.isdisjoint(job_ids):
                continue
            chat.task.cancel()
            await asyncio.gather(chat.task, return_exceptions=True)
            for job_id in chat.owed:
                self._owe(chat.chat_id, job_id)

    async def close(self, timeout_s: float) -> None:
        """Let what is on its way arrive, then end; what is still owed is on the disk."""
        self._closing = True
        chats = [(chat, chat.task) for chat in self._chats.values() if chat.task is not None]
        on_their_way = [task for chat, task in chats if chat.busy_with]
        if on_their_way:
            await asyncio.wait(on_their_way, timeout=timeout_s)
        for _, task in chats:
            task.cancel()
        await asyncio.gather(*(task for _, task in chats), return_exceptions=True)

    async def _run(self, chat: _ChatQueue) -> None:
        try:
            while chat.owed and not self._closing:
                await self._settle(chat.owed.popleft(), chat)
        finally:
            del self._chats[chat.chat_id]

    async def _settle(self, job_id: int, chat: _ChatQueue) -> None:
        """Try until the debt is paid or has gone."""
        tries = refusals = 0
        while not self._closing:
            pause_s = min(self._limits.longest_retry_s, self._limits.first_retry_s * 2.0**tries)
            try:
                return await self._deliver_owed(job_id, chat)
            except RecipientGone:
                return await self._on_gone(chat.chat_id)
            except RetryLater as answer:
                pause_s = max(answer.after_s, pause_s)
                logger.info("delivery waits", extra={"job": job_id, "pause_s": round(pause_s, 1)})
            except Exception:
                logger.exception("delivery failed", extra={"job": job_id})
                refusals += 1
                if refusals == MAX_REFUSALS:
                    return await self._give_up(job_id)
            finally:
                chat.busy_with = frozenset()
            tries = min(tries + 1, MAX_DOUBLINGS)
            await asyncio.sleep(0 if self._closing else pause_s)
        return None

    async def _deliver_owed(self, job_id: int, chat: _ChatQueue) -> None:
        async with self.delivery_lock:
            job = await self._repository.get(job_id)
            if job is None:
                return
            ready = await self._ready_with(job)
            chat.busy_with = frozenset({job.id, *(each.id for each in ready)})
        if job.failure is not None and not job.told and not job.state.is_open:
            await self._reporter.failed(job, job.failure)
            await self._repository.note_told(job.id)
        await self._deliver(ready)

    async def _ready_with(self, job: Job) -> list[Job]:
        """What can be delivered now: the job itself, or its album once nobody is missing."""
        jobs = [job] if job.request.album is None else await self._repository.album(job)
        if any(each.state in {JobState.WAITING, JobState.RUNNING} for each in jobs):
            return []
        return [each for each in jobs if each.state is JobState.PAINTED]

    async def _deliver(self, jobs: list[Job]) -> None:
        if not jobs:
            return
        if len(jobs) == 1:
            await self._reporter.deliver(jobs[0])
        else:
            await self._reporter.deliver_album(jobs)
        for job in await self._repository.delivered([job.id for job in jobs]):
            log_job("delivered", job)

    async def _give_up(self, job_id: int) -> None:
        """Owe bad news instead; if they can't be told either, the log has them."""
        job = await self._repository.get(job_id)
        if job is None or job.failure is not None:
            return await self._repository.note_told(job_id)
        for undelivered in await self._ready_with(job):
            failed = await self._repository.fail(undelivered.id, Failure.INTERNAL)
            if failed is not None:
                log_job("failed", failed, logging.ERROR)
                self.take(failed)
        return None
