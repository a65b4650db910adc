"""The job service: takes requests, answers questions, starts and ends the work."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from app.jobs.daily_allowance import DailyAllowance
from app.jobs.deliveries import DeliveryService
from app.jobs.interface import (
    ClosingDown,
    DiskFull,
    JobView,
    QueueFull,
    Reporter,
    Stats,
    TooManyJobs,
    WorkerView,
)
from app.jobs.job_log import log_job
from app.jobs.limits import JobLimits
from app.jobs.model import Failure, Job, JobRequest, JobState
from app.jobs.notifications import PlaceNotifier, notify_safely
from app.jobs.queue import JobQueue
from app.jobs.retention import PictureRetention, delete_pictures, pictures_of
from app.jobs.running.clips import Engine
from app.jobs.running.estimates import WaitEstimates
from app.jobs.running.job_run import RunOutcome
from app.jobs.running.painter import StyleOf, plain_style
from app.jobs.running.pool import WorkerPool
from app.jobs.running.result_files import (
    delete_result,
    delete_unfinished_clips,
    expected_bytes,
    possible_results,
)
from app.jobs.running.timings import Timings
from app.jobs.running.worker import Worker
from app.jobs.store import JobStore
from app.storage.disk_room import DiskRoom, NoRoomError

REMEMBERED_TIMINGS = 500
"""How many finished jobs are looked at for the first estimates after a start."""

LOOKED_BACK = 100
"""How many of a person's last results are looked at; older ones are gone where all these are."""


class LocalJobService:
    """Implements `app.jobs.interface.JobService`: one repository and queue, a worker a device."""

    def __init__(
        self,
        store: JobStore,
        *,
        stylizers: Mapping[str, Engine],
        reporter: Reporter,
        limits: JobLimits,
        style_of: StyleOf = plain_style,
        engines_return: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`stylizers` by the device that each paints on; at least one, unless `engines_return`:
        then the work goes on without any until `add_engine` brings the next. `clock` says how long
        a painting takes, and a painter is silent.

        Nothing is painted before `start`. Whoever opened the store closes it, after `drain`.
        """
        self._repository = store.repository
        self._folders = store.folders
        self._reporter = reporter
        self._limits = limits
        self._style_of = style_of
        self._clock = clock
        self._timings = Timings()
        self._queue = JobQueue(
            max_jobs=limits.max_jobs,
            max_jobs_per_user=limits.max_jobs_per_user,
            workers=len(stylizers),
        )
        self._estimates = WaitEstimates(self._queue, self._timings)
        self._places = PlaceNotifier(self._queue, self._estimates, reporter)
        self._deliveries = DeliveryService(
            repository=store.repository, reporter=reporter, limits=limits, on_gone=self.drop_chat
        )
        self._retention = PictureRetention(
            repository=store.repository, folders=store.folders, limits=limits
        )
        self.disk_room = DiskRoom(
            store.folders.root,
            quota_bytes=round(limits.disk_quota_mb * 1_000_000),
            promised=self._promised_bytes,
            make_room=self._retention.make_room,
        )
        """For whoever else writes something large into the data folder."""
        self._workers = self._make_workers(stylizers, engines_return=engines_return)
        self._allowance = DailyAllowance(store.repository, limits.max_daily_per_user, time.time)
        self._submitting = asyncio.Lock()
        """One submission at a time: between asking for room and taking it nobody else comes in."""
        self._closing = False
        self._background: list[asyncio.Task[None]] = []

    def _make_workers(self, stylizers: Mapping[str, Engine], *, engines_return: bool) -> WorkerPool:
        return WorkerPool(
            [self._make_worker(device, stylizer) for device, stylizer in stylizers.items()],
            repository=self._repository,
            queue=self._queue,
            places=self._places,
            reporter=self._reporter,
            deliveries=self._deliveries,
            max_attempts=self._limits.max_attempts,
            engines_return=engines_return,
        )

    def _make_worker(self, device: str, stylizer: Engine) -> Worker:
        return Worker(
            device,
            stylizer,
            repository=self._repository,
            queue=self._queue,
            reporter=self._reporter,
            deliveries=self._deliveries,
            timings=self._timings,
            results=self._folders.results,
            room=self.disk_room,
            limits=self._limits,
            style_of=self._style_of,
            clock=self._clock,
        )

    # Start and end

    async def start(self) -> None:
        """Take up what an earlier process left, and begin to work."""
        for job in await self._repository.recover(max_attempts=self._limits.max_attempts):
            if job.attempts:
                log_job("taken up again", job, logging.WARNING)
            self._queue.put_nowait(job)
        self._places.skip()
        for measured in await self._repository.measured(REMEMBERED_TIMINGS):
            self._timings.record(*measured)
        for job in await self._repository.owed():
            if job.state is JobState.SET_ASIDE:
                log_job("set aside", job, logging.ERROR)
            self._deliveries.take(job)
        await asyncio.to_thread(delete_unfinished_clips, self._folders.results)
        self._workers.start()
        for work in (self._retention.run(), self._drop_unreachable_chats()):
            self._background.append(asyncio.create_task(work))

    def add_engine(self, device: str, stylizer: Engine) -> None:
        """Have one more paint from now on, after `start`; none is taken in while draining."""
        if not self._closing:
            self._workers.add(self._make_worker(device, stylizer))
            self._places.notify(self._workers.runs)

    def remove_engine(self, device: str) -> None:
        """An engine is gone; what it paints is told of by the engine itself."""
        self._workers.remove(device)
        self._places.notify(self._workers.runs)

    def tell_of_absence(self) -> None:
        """No engine will come soon: if there is none, the reporter hears of it, once."""
        if not self._closing:
            self._workers.tell_of_absence()

    @property
    def is_paused(self) -> bool:
        return self._workers.is_paused

    async def ended(self) -> None:
        """Return when the work has ended by `drain`.

        Raises `app.jobs.running.worker.WorkerMustEnd` when painting can't go on in this process,
        and whatever else broke the work (a full disk under the database): restart the process.
        """
        await self._workers.ended()

    async def drain(self, timeout_s: float = 10.0) -> bool:
        """Take no new jobs, put the running ones back, let deliveries in flight arrive.

        Returns False if a GPU's thread is still busy after that: then only `os._exit` ends the
        process at once. Nothing is lost either way.
        """
        self._closing = True
        async with self._submitting:
            pass  # what was being accepted is on the disk
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        is_free, _ = await asyncio.gather(
            self._workers.close(timeout_s), self._deliveries.close(timeout_s)
        )
        return is_free

    # Requests

    async def submit(self, *requests: JobRequest) -> list[Job]:
        async with self._submitting:
            if self._closing:
                raise ClosingDown
            jobs = await self._repository.known(request.origin for request in requests)
            asked = {request.origin: request for request in requests}
            new = [request for origin, request in asked.items() if origin not in jobs]
            if new:
                await self._check_room(new)
                # Kept until they are in the queue: from there on their results are promised.
                async with self._disk_room_for(new):
                    for added in await self._repository.add(new):
                        left = await self._allowance.left(added.request.user_id)
                        job = replace(added, allowance_left=left)
                        jobs[job.request.origin] = job
                        log_job("accepted", job)
                        self._queue.put_nowait(job)
                self._places.notify(self._workers.runs)
        return [jobs[request.origin] for request in requests]

    async def stop(self, job_id: int, user_id: int) -> bool:
        for run in self._workers.running(lambda job: job.id == job_id and job.belongs_to(user_id)):
            if not run.ends_as(RunOutcome.THROW_AWAY):
                run.end(RunOutcome.DELIVER)
                log_job("stopped", run.job)
                return True
        return False

    async def cancel(self, job_id: int, user_id: int) -> bool:
        job = await self._repository.get(job_id)
        if job is None or not job.belongs_to(user_id):
            return False
        async with self._deliveries.delivery_lock:
            if self._deliveries.is_delivering(job_id):
                return False
            self._take_out(lambda each: each.id == job_id)
            cancelled = await self._repository.cancel(job_id)
        if cancelled is None:
            return False
        await self._after_cancelled([cancelled])
        return True

    async def drop_chat(self, chat_id: int) -> None:
        self._take_out(lambda job: job.request.chat_id == chat_id)
        for job in await self._repository.write_off(chat_id):
            notify_safely(self._reporter.cancelled, job)
        await self._after_cancelled(await self._repository.cancel_chat(chat_id))

    async def delete(
        self, jobs: Sequence[Job], user_id: int, *, keep: Collection[Path] = ()
    ) -> list[Job]:
        # Nobody submits meanwhile: a new job might need a picture that is about to go.
        async with self._submitting:
            deleted = await self._repository.delete_results([job.id for job in jobs], user_id)
            others = await self._repository.remembered(user_id)
            needed = set(keep).union(*map(pictures_of, others))
            doomed = set().union(*map(pictures_of, deleted)) - needed
            await asyncio.to_thread(delete_pictures, self._folders, doomed)
        for job in deleted:
            log_job("deleted", job)
        return deleted

    async def forget(self, user_id: int) -> None:
        async with self._submitting:
            self._take_out(lambda job: job.belongs_to(user_id))
            cancelled = await self._repository.cancel_all(user_id)
            for job in cancelled:
                notify_safely(self._reporter.cancelled, job)
            self._places.notify(self._workers.runs)
            await self._deliveries.drop(user_id)
            async with self._workers.nothing_saved():
                jobs = await self._repository.all_of(user_id)
                pictures = await self._repository.pictures_of_all(user_id)
                for job in jobs:
                    pictures.update(possible_results(job, self._folders.results))
                # The rows last: as long as they stand, somebody knows of the files.
                await asyncio.to_thread(delete_pictures, self._folders, pictures)
                # A painter that is only just being stopped finds nothing to finish.
                results, ids = self._folders.results, [job.id for job in jobs]
                await asyncio.to_thread(delete_unfinished_clips, results, ids)
                self._allowance.forget(await self._repository.forget(user_id))

    async def withdraw(self, pictures: Collection[Path]) -> None:
        async with self._submitting:
            uses = {job.id: pictures_of(job) for job in await self._repository.unpainted()}
            meant = {job_id for job_id, used in uses.items() if not used.isdisjoint(pictures)}
            self._take_out(lambda job: job.id in meant)
            for job_id in meant:
                job = await self._repository.withdraw(job_id, Failure.PICTURE_GONE)
                if job is not None:
                    log_job("withdrawn", job)
                    self._deliveries.take(job)
        self._places.notify(self._workers.runs)

    # Questions

    async def get(self, job_id: int) -> Job | None:
        return await self._repository.get(job_id)

    async def together(self, job: Job) -> list[Job]:
        return [job] if job.request.album is None else await self._repository.album(job)

    async def past_results(
        self, user_id: int, *, chat_id: int | None = None, limit: int
    ) -> list[Job]:
        jobs = await self._repository.results_of(user_id, chat_id, LOOKED_BACK)
        return (await asyncio.to_thread(lambda: [job for job in jobs if _is_kept(job)]))[:limit]

    async def views(self, user_id: int) -> list[JobView]:
        open_jobs = await self._repository.open_of(user_id)
        return self._estimates.views(user_id, open_jobs, self._workers.runs)

    async def stats(self) -> Stats:
        by_state, failures = await self._repository.counts()
        return Stats(
            by_state=by_state,
            waiting=self._queue.qsize(),
            seconds_by_quality=self._timings.median_by_quality(),
            failures=failures,
            disk_bytes=await self._retention.used_bytes(),
            workers=self.workers,
            is_paused=self.is_paused,
        )

    @property
    def workers(self) -> tuple[WorkerView, ...]:
        """How each worker is doing."""
        return self._workers.views()

    # What the above is made of

    async def _check_room(self, new: Sequence[JobRequest]) -> None:
        running = Counter(run.job.request.user_id for run in self._workers.running())
        for user_id, count in Counter(request.user_id for request in new).items():
            if count + running[user_id] > self._queue.room_for(user_id):
                raise TooManyJobs(self._queue.max_jobs_per_user)
            await self._allowance.check(user_id, count)
        if len(new) > self._queue.room():
            raise QueueFull(self._estimates.minutes_until_room(len(new), self._workers.runs))

    @contextlib.asynccontextmanager
    async def _disk_room_for(self, new: Sequence[JobRequest]) -> AsyncIterator[None]:
        try:
            async with self.disk_room.reserve(sum(map(expected_bytes, new))):
                yield
        except NoRoomError:
            raise DiskFull from None

    def _promised_bytes(self) -> int:
        """What the results of all that is accepted will take."""
        running = [run.job for run in self._workers.running()]
        return sum(expected_bytes(job.request) for job in [*self._queue.waiting(), *running])

    def _take_out(self, is_meant: Callable[[Job], bool]) -> None:
        """Out of the queue and off the devices, within one step."""
        for job in self._queue.waiting():
            if is_meant(job):
                self._queue.remove(job.id)
        for run in self._workers.running(is_meant):
            run.end(RunOutcome.THROW_AWAY)

    async def _drop_unreachable_chats(self) -> None:
        while True:
            await self.drop_chat(await self._reporter.next_unreachable_chat())

    async def _after_cancelled(self, cancelled: Sequence[Job]) -> None:
        for job in cancelled:
            log_job("cancelled", job)
            notify_safely(self._reporter.cancelled, job)
            if job.request.album is not None:
                self._deliveries.take(job)  # the rest of the album may have waited for it alone
            if job.result is not None:
                await asyncio.to_thread(delete_result, job.result)
        self._places.notify(self._workers.runs)


def _is_kept(job: Job) -> bool:
    """Blocking."""
    return job.result is not None and job.result.is_file()
