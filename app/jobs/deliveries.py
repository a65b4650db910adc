"""Delivers finished pictures, and bad news, again until it works.

What one person is owed in a chat goes out in order, one thing at a time; a delivery that has to be
tried again steps aside until then and holds up no other. The disk holds what is owed, so the task
of a recipient can end at any moment and begin again after a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from app.jobs.interface import RecipientGone, Reporter, RetryLater
from app.jobs.job_log import log_job
from app.jobs.limits import JobLimits
from app.jobs.model import Failure, Job, JobState
from app.jobs.repository import JobRepository

logger = logging.getLogger(__name__)

MAX_REFUSALS = 5
"""How often the reporter may fail in a way nobody foresaw before the job is given up."""
MAX_DOUBLINGS = 16


class Recipient(NamedTuple):
    """One person in one chat: an album of theirs is in one pair of hands."""

    chat_id: int
    user_id: int


@dataclass(slots=True)
class _Debt:
    """A job whose result, or bad news, is owed."""

    job_id: int
    due_at: float = float("-inf")
    """On the event loop's clock."""
    tries: int = 0
    refusals: int = 0


@dataclass(slots=True)
class _Debts:
    """What one recipient is owed, oldest first, and the task that sees to it."""

    recipient: Recipient
    owed: list[_Debt] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    busy_with: frozenset[int] = frozenset()
    """Jobs that are on their way in this moment."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def next(self, now: float) -> _Debt:
        """The oldest that is due; if none is, the one that will be first."""
        return next((debt for debt in self.owed if debt.due_at <= now), None) or min(
            self.owed, key=lambda debt: debt.due_at
        )


class DeliveryService:
    """One task per recipient who is owed something; recipients don't wait for each other."""

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
        self._recipients: dict[Recipient, _Debts] = {}
        self._closing = False
        self.delivery_lock = asyncio.Lock()
        """Held while it is decided what is on its way, and while a job is cancelled."""

    def take(self, job: Job) -> None:
        """See to what a finished job's owner is owed; returns at once.

        Also for a cancelled job of an album: the others may have waited for it alone.
        """
        self._owe(Recipient(job.request.chat_id, job.request.user_id), _Debt(job.id))

    def _owe(self, recipient: Recipient, debt: _Debt) -> None:
        if self._closing:
            return
        debts = self._recipients.setdefault(recipient, _Debts(recipient))
        debts.owed.append(debt)
        debts.changed.set()
        if debts.task is None:
            debts.task = asyncio.create_task(self._run(debts))

    def is_delivering(self, job_id: int) -> bool:
        """Whether this job's result is on its way in this moment."""
        return any(job_id in debts.busy_with for debts in self._recipients.values())

    async def drop(self, user_id: int) -> None:
        """Owe a person nothing any more, and break off what is on its way."""
        owing = [each for each in self._recipients.values() if each.recipient.user_id == user_id]
        tasks = [debts.task for debts in owing if debts.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for debts in owing:
            self._recipients.pop(debts.recipient, None)  # its task may not have begun

    async def close(self, timeout_s: float) -> None:
        """Let what is on its way arrive, then end; what is still owed is on the disk."""
        self._closing = True
        owing = list(self._recipients.values())
        tasks = [(debts, debts.task) for debts in owing if debts.task is not None]
        on_their_way = [task for debts, task in tasks if debts.busy_with]
        if on_their_way:
            await asyncio.wait(on_their_way, timeout=timeout_s)
        for _, task in tasks:
            task.cancel()
        await asyncio.gather(*(task for _, task in tasks), return_exceptions=True)

    async def _run(self, debts: _Debts) -> None:
        loop = asyncio.get_running_loop()
        try:
            while debts.owed and not self._closing:
                debts.changed.clear()
                debt = debts.next(loop.time())
                if debt.due_at <= loop.time():
                    if await self._settle(debt, debts):
                        debts.owed.remove(debt)
                    continue
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(debt.due_at):
                        await debts.changed.wait()
        finally:
            del self._recipients[debts.recipient]

    async def _settle(self, debt: _Debt, debts: _Debts) -> bool:
        """Whether the debt is paid or has gone; if not, it is due again later."""
        pause_s = min(self._limits.longest_retry_s, self._limits.first_retry_s * 2.0**debt.tries)
        try:
            await self._deliver_owed(debt.job_id, debts)
            return True
        except RecipientGone:
            await self._on_gone(debts.recipient.chat_id)
            return True
        except RetryLater as answer:
            pause_s = max(answer.after_s, pause_s)
            facts = {"job": debt.job_id, "pause_s": round(pause_s, 1)}
            logger.info("delivery waits", extra=facts)
        except Exception:
            logger.exception("delivery failed", extra={"job": debt.job_id})
            debt.refusals += 1
            if debt.refusals == MAX_REFUSALS:
                await self._give_up(debt.job_id)
                return True
        finally:
            debts.busy_with = frozenset()
        debt.tries = min(debt.tries + 1, MAX_DOUBLINGS)
        debt.due_at = asyncio.get_running_loop().time() + pause_s
        return False

    async def _deliver_owed(self, job_id: int, debts: _Debts) -> None:
        async with self.delivery_lock:
            job = await self._repository.get(job_id)
            if job is None:
                return
            ready = await self._ready_with(job)
            debts.busy_with = frozenset({job.id, *(each.id for each in ready)})
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
