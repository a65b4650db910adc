"""Brings finished pictures, and bad news, to people: in order within a chat, until it works.

The disk holds what is owed, so a lane can end at any moment and begin again after a restart.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from app.jobs.job import Failure, Job, JobState
from app.jobs.journal import log_job
from app.jobs.limits import StudioLimits
from app.jobs.ports import RecipientGone, Reporter, RetryLater
from app.jobs.store import JobStore

logger = logging.getLogger(__name__)

MAX_REFUSALS = 5
"""How often the reporter may fail in a way nobody foresaw before the job is given up."""
MAX_DOUBLINGS = 16


@dataclass(slots=True)
class _Lane:
    """What one chat is owed, oldest first, and the task that sees to it."""

    chat_id: int
    owed: deque[int] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None
    busy_with: frozenset[int] = frozenset()
    """Jobs that are on their way in this moment."""


class Courier:
    """One lane per chat that is owed something; lanes don't wait for each other."""

    def __init__(
        self,
        *,
        store: JobStore,
        reporter: Reporter,
        limits: StudioLimits,
        on_gone: Callable[[int], Awaitable[None]],
    ) -> None:
        """`on_gone` is told of a chat that nothing will ever reach again."""
        self._store = store
        self._reporter = reporter
        self._on_gone = on_gone
        self._limits = limits
        self._lanes: dict[int, _Lane] = {}
        self._closing = False
        self.claims = asyncio.Lock()
        """Held while it is decided what is on its way; who takes a job away holds it too."""

    def take(self, job: Job) -> None:
        """See to what a finished job's owner is owed; returns at once.

        Also for a cancelled job of an album: the others may have waited for it alone.
        """
        if self._closing:
            return
        chat_id = job.request.chat_id
        lane = self._lanes.setdefault(chat_id, _Lane(chat_id))
        lane.owed.append(job.id)
        if lane.task is None:
            lane.task = asyncio.create_task(self._run(lane))

    def is_bringing(self, job_id: int) -> bool:
        """Whether this job's result is on its way in this moment."""
        return any(job_id in lane.busy_with for lane in self._lanes.values())

    async def close(self, timeout_s: float) -> None:
        """Let what is on its way arrive, then end; what is still owed is on the disk."""
        self._closing = True
        lanes = [(lane, lane.task) for lane in self._lanes.values() if lane.task is not None]
        on_their_way = [task for lane, task in lanes if lane.busy_with]
        if on_their_way:
            await asyncio.wait(on_their_way, timeout=timeout_s)
        for _, task in lanes:
            task.cancel()
        await asyncio.gather(*(task for _, task in lanes), return_exceptions=True)

    async def _run(self, lane: _Lane) -> None:
        try:
            while lane.owed and not self._closing:
                await self._settle(lane.owed.popleft(), lane)
        finally:
            del self._lanes[lane.chat_id]

    async def _settle(self, job_id: int, lane: _Lane) -> None:
        """Try until the debt is paid or has gone."""
        tries = refusals = 0
        while not self._closing:
            pause_s = min(self._limits.longest_retry_s, self._limits.first_retry_s * 2.0**tries)
            try:
                return await self._bring(job_id, lane)
            except RecipientGone:
                return await self._on_gone(lane.chat_id)
            except RetryLater as answer:
                pause_s = max(answer.after_s, pause_s)
                logger.info("delivery waits", extra={"job": job_id, "pause_s": round(pause_s, 1)})
            except Exception:
                logger.exception("delivery failed", extra={"job": job_id})
                refusals += 1
                if refusals == MAX_REFUSALS:
                    return await self._give_up(job_id)
            finally:
                lane.busy_with = frozenset()
            tries = min(tries + 1, MAX_DOUBLINGS)
            await asyncio.sleep(0 if self._closing else pause_s)
        return None

    async def _bring(self, job_id: int, lane: _Lane) -> None:
        async with self.claims:
            job = await self._store.get(job_id)
            if job is None:
                return
            ready = await self._ready_with(job)
            lane.busy_with = frozenset({job.id, *(each.id for each in ready)})
        if job.failure is not None and not job.told and not job.state.is_open:
            await self._reporter.failed(job, job.failure)
            await self._store.note_told(job.id)
        await self._deliver(ready)

    async def _ready_with(self, job: Job) -> list[Job]:
        """What can be delivered now: the job itself, or its album once nobody is missing."""
        jobs = [job] if job.request.album is None else await self._store.album(job)
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
        for job in await self._store.delivered([job.id for job in jobs]):
            log_job("delivered", job)

    async def _give_up(self, job_id: int) -> None:
        """Owe bad news instead; if they can't be told either, the log has them."""
        job = await self._store.get(job_id)
        if job is None or job.failure is not None:
            return await self._store.note_told(job_id)
        for undelivered in await self._ready_with(job):
            failed = await self._store.fail(undelivered.id, Failure.INTERNAL)
            if failed is not None:
                log_job("failed", failed, logging.ERROR)
                self.take(failed)
        return None
