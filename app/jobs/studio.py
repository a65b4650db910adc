"""The one door to the jobs: takes orders, answers questions, starts and ends the work."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from app.jobs.courier import Courier
from app.jobs.folders import Folders, delete_pictures
from app.jobs.forecast import Forecast
from app.jobs.job import Job, JobRequest, JobState
from app.jobs.journal import log_job
from app.jobs.limits import StudioLimits
from app.jobs.lock import FolderLock
from app.jobs.ports import ClosingDown, JobView, QueueFull, Reporter, Stats, TooManyJobs
from app.jobs.queue import JobQueue
from app.jobs.run import Wish
from app.jobs.store import JobStore
from app.jobs.sweeper import Sweeper
from app.jobs.telling import tell, tell_places
from app.jobs.timings import Timings
from app.jobs.worker import StyleOf, Worker, plain_style
from models.interface import Stylizer

__all__ = ["JobStudio", "StudioLimits"]

REMEMBERED_TIMINGS = 500
"""How many finished jobs are looked at for the first estimates after a start."""


class JobStudio:
    """Implements `app.jobs.ports.Studio` over one store, one queue and one worker."""

    def __init__(
        self,
        *,
        store: JobStore,
        folders: Folders,
        lock: FolderLock,
        stylizer: Stylizer,
        reporter: Reporter,
        limits: StudioLimits,
        style_of: StyleOf = plain_style,
    ) -> None:
        self._store = store
        self._lock = lock
        self._folders = folders
        self._reporter = reporter
        self._limits = limits
        self._timings = Timings()
        self._queue = JobQueue(max_jobs=limits.max_jobs, max_jobs_per_user=limits.max_jobs_per_user)
        self._forecast = Forecast(self._queue, self._timings)
        self._courier = Courier(
            store=store, reporter=reporter, limits=limits, on_gone=self.drop_chat
        )
        self._worker = Worker(
            stylizer=stylizer,
            store=store,
            queue=self._queue,
            reporter=reporter,
            courier=self._courier,
            timings=self._timings,
            results=folders.results,
            watchdog_s=limits.watchdog_s,
            style_of=style_of,
        )
        self._sweeper = Sweeper(store=store, folders=folders, limits=limits)
        self._door = asyncio.Lock()
        """One order at a time: between asking for room and taking it nobody else comes in."""
        self._closing = False
        self._painting: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        root: Path,
        *,
        bot_id: int,
        stylizer: Stylizer,
        reporter: Reporter,
        limits: StudioLimits,
        style_of: StyleOf = plain_style,
    ) -> Self:
        """Open the data folder `root`; nothing is painted before `start`.

        Raises UnusableDatabaseError, also for a folder that another process works with, or
        OSError for one that can't be written.
        """
        folders = Folders(root)
        await asyncio.to_thread(folders.make)
        lock = await asyncio.to_thread(FolderLock.acquire, folders.lock)
        try:
            store = await JobStore.open(folders.database, bot_id=bot_id)
        except BaseException:
            lock.release()
            raise
        return cls(
            store=store,
            folders=folders,
            lock=lock,
            stylizer=stylizer,
            reporter=reporter,
            limits=limits,
            style_of=style_of,
        )

    # The life of the studio

    async def start(self) -> None:
        """Take up what an earlier process left, and begin to work."""
        for job in await self._store.recover(max_attempts=self._limits.max_attempts):
            if job.attempts:
                log_job("taken up again", job, logging.WARNING)
            self._queue.put_nowait(job)
        self._queue.changed_places()  # nobody is told: for them nothing has happened
        for options, seconds in await self._store.measured(REMEMBERED_TIMINGS):
            self._timings.record(options, seconds)
        for job in await self._store.owed():
            if job.state is JobState.SET_ASIDE:
                log_job("set aside", job, logging.ERROR)
            self._courier.take(job)
        self._painting = asyncio.create_task(self._worker.work())
        self._sweeping = asyncio.create_task(self._sweeper.run())

    async def ended(self) -> None:
        """Return when the work has ended by `drain`.

        Raises `app.jobs.worker.ProcessMustEnd` when painting can't go on in this process, and
        whatever else broke the work (a full disk under the database): restart the process.
        """
        if self._painting is not None:
            await asyncio.wait({self._painting})
            if not self._painting.cancelled():
                self._painting.result()

    async def drain(self, timeout_s: float = 10.0) -> bool:
        """Take no new jobs, put the running one back, let deliveries in flight arrive.

        Returns False if the GPU thread is still busy after that: then only `os._exit` ends the
        process at once. Nothing is lost either way.
        """
        self._closing = True
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
        if self._painting is None:
            return True
        is_free, _ = await asyncio.gather(
            self._worker.close(self._painting, timeout_s), self._courier.close(timeout_s)
        )
        return is_free

    async def close(self) -> None:
        """Close the database and leave the folder to others; after `drain`."""
        async with self._door:
            await self._store.close()
            self._lock.release()

    # Orders

    async def submit(self, *requests: JobRequest) -> list[Job]:
        async with self._door:
            if self._closing:
                raise ClosingDown
            jobs = await self._store.known(request.origin for request in requests)
            asked = {request.origin: request for request in requests}
            new = [request for origin, request in asked.items() if origin not in jobs]
            if new:
                self._check_room(new)
                for job in await self._store.add(new):
                    jobs[job.request.origin] = job
                    log_job("accepted", job)
                    self._queue.put_nowait(job)
                tell_places(self._queue, self._reporter)
        return [jobs[request.origin] for request in requests]

    async def stop(self, job_id: int, user_id: int) -> bool:
        run = self._worker.run
        if run is None or run.job.id != job_id or not run.job.belongs_to(user_id):
            return False
        if run.is_wished(Wish.THROW_AWAY):
            return False
        run.end(Wish.DELIVER)
        log_job("stopped", run.job)
        return True

    async def cancel(self, job_id: int, user_id: int) -> bool:
        job = await self._store.get(job_id)
        if job is None or not job.belongs_to(user_id):
            return False
        async with self._courier.claims:
            if self._courier.is_bringing(job_id):
                return False
            self._take_off(lambda each: each.id == job_id)
            cancelled = await self._store.cancel(job_id)
        if cancelled is None:
            return False
        await self._clear_away([cancelled])
        return True

    async def drop_chat(self, chat_id: int) -> None:
        self._take_off(lambda job: job.request.chat_id == chat_id)
        for job in await self._store.write_off(chat_id):
            tell(self._reporter.cancelled, job)
        await self._clear_away(await self._store.cancel_chat(chat_id))

    async def forget(self, user_id: int) -> None:
        async with self._door:
            self._take_off(lambda job: job.belongs_to(user_id))
            jobs = await self._store.forget(user_id)
        for job in jobs:
            if job.state.is_open:
                tell(self._reporter.cancelled, job)
        tell_places(self._queue, self._reporter)
        await asyncio.to_thread(delete_pictures, self._folders, jobs)

    async def set_status_message(self, job_id: int, message_id: int, *, has_picture: bool) -> None:
        job = await self._store.set_status_message(job_id, message_id, has_picture=has_picture)
        if job is None:
            return
        self._queue.replace(job)
        run = self._worker.run
        if run is not None and run.job.id == job_id:
            run.job = job

    # Questions

    async def get(self, job_id: int) -> Job | None:
        return await self._store.get(job_id)

    async def together(self, job: Job) -> list[Job]:
        return [job] if job.request.album is None else await self._store.album(job)

    def place(self, job_id: int) -> int | None:
        return self._queue.place(job_id)

    async def views(self, user_id: int) -> list[JobView]:
        open_jobs = await self._store.open_of(user_id)
        return self._forecast.views(user_id, open_jobs, self._worker.run)

    async def stats(self) -> Stats:
        by_state, failures = await self._store.counts()
        return Stats(
            by_state=by_state,
            waiting=self._queue.qsize(),
            seconds_by_quality=self._timings.median_by_quality(),
            failures=failures,
            disk_bytes=await self._sweeper.used_bytes(),
        )

    # What the above is made of

    def _check_room(self, new: Sequence[JobRequest]) -> None:
        run = self._worker.run
        for user_id, count in Counter(request.user_id for request in new).items():
            is_running = run is not None and run.job.belongs_to(user_id)
            if count + is_running > self._queue.room_for(user_id):
                raise TooManyJobs(self._queue.max_jobs_per_user)
        if len(new) > self._queue.room():
            raise QueueFull(self._forecast.minutes_until_room(len(new), run))

    def _take_off(self, is_meant: Callable[[Job], bool]) -> None:
        """Out of the queue and off the card, within one step."""
        for job in self._queue.waiting():
            if is_meant(job):
                self._queue.remove(job.id)
        run = self._worker.run
        if run is not None and is_meant(run.job):
            run.end(Wish.THROW_AWAY)

    async def _clear_away(self, cancelled: Sequence[Job]) -> None:
        for job in cancelled:
            log_job("cancelled", job)
            tell(self._reporter.cancelled, job)
            if job.request.album is not None:
                self._courier.take(job)  # the rest of the album may have waited for it alone
            if job.result is not None:
                await asyncio.to_thread(job.result.unlink, missing_ok=True)
        tell_places(self._queue, self._reporter)
