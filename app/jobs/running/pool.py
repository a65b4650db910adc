"""One worker for each device, all on one queue."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence

from app.jobs.deliveries import DeliveryService
from app.jobs.interface import Reporter, WorkerView
from app.jobs.job_log import log_job
from app.jobs.model import Job, JobState
from app.jobs.notifications import PlaceNotifier, notify_safely
from app.jobs.queue import JobQueue
from app.jobs.repository import JobRepository
from app.jobs.running.endings import DeviceAway, WorkerMustEnd
from app.jobs.running.job_run import JobRun, RunOutcome
from app.jobs.running.worker import Worker


class WorkerPool:
    """Runs the workers; what befalls one is no business of the others.

    A worker whose device is lost or hangs ends alone and its job goes back to the queue. That of
    the last one is left as it is, for then the process ends and the next one takes it up; unless
    `engines_return`: then jobs wait for the next engine.
    """

    def __init__(
        self,
        workers: Sequence[Worker],
        *,
        repository: JobRepository,
        queue: JobQueue,
        places: PlaceNotifier,
        reporter: Reporter,
        deliveries: DeliveryService,
        max_attempts: int,
        engines_return: bool = False,
    ) -> None:
        self._workers = list(workers)
        self._at_work = list(workers)
        self._repository = repository
        self._queue = queue
        self._places = places
        self._reporter = reporter
        self._deliveries = deliveries
        self._max_attempts = max_attempts
        self._tasks: dict[Worker, asyncio.Task[None]] = {}
        self._engines_return = engines_return
        self._is_told_paused = False
        self._is_closing = False
        self._changed = asyncio.Event()

    @property
    def runs(self) -> list[JobRun | None]:
        """What each worker that is at work paints; None for one that is idle."""
        return [worker.run for worker in self._at_work]

    def running(self, is_meant: Callable[[Job], bool] = lambda _: True) -> list[JobRun]:
        """Jobs that have left the queue and have no picture on the disk yet.

        Also that of a worker that has just ended: it is about to be put back.
        """
        runs = (run for worker in self._workers for run in worker.runs)
        return [run for run in runs if is_meant(run.job)]

    def views(self) -> tuple[WorkerView, ...]:
        """How each worker is doing."""
        return tuple(
            WorkerView(worker.device, worker.state, worker.painted) for worker in self._workers
        )

    @contextlib.asynccontextmanager
    async def nothing_saved(self) -> AsyncIterator[None]:
        """Meanwhile no picture is written: what was thrown away before will not come."""
        async with contextlib.AsyncExitStack() as stack:
            for worker in self._workers:
                await stack.enter_async_context(worker.saving)
            yield

    @property
    def is_paused(self) -> bool:
        """Whether nobody is left to paint, and that was told."""
        return self._is_told_paused and not self._at_work

    def start(self) -> None:
        self._tasks = {each: asyncio.create_task(self._work(each)) for each in self._workers}

    def add(self, worker: Worker) -> None:
        """One more, after `start`; in the place of one of the same device that has let go."""
        for each in list(self._workers):
            if each.ended is not None and not each.runs and each.device == worker.device:
                self._workers.remove(each)
                self._tasks.pop(each, None)
                each.dismiss()
        self._workers.append(worker)
        self._at_work.append(worker)
        self._queue.set_workers(len(self._at_work))
        self._tasks[worker] = asyncio.create_task(self._work(worker))
        self._changed.set()
        if self._is_told_paused:
            self._is_told_paused = False
            notify_safely(self._reporter.painting_resumed, worker.device)
            self._places.notify_all(self.runs)

    def remove(self, device: str) -> None:
        """The engine of a device is gone: its worker takes no further job.

        One that has a job hears of it by its engine.
        """
        for worker in list(self._at_work):
            if worker.device == device and worker.run is None:
                worker.ended = DeviceAway(f"{device} is gone")
                self._at_work.remove(worker)
                self._queue.set_workers(len(self._at_work))
                self._tasks[worker].cancel()

    def tell_of_absence(self) -> None:
        """Tell, once, that nobody is left to paint, if that is so."""
        if not self._at_work and not self._is_told_paused:
            self._is_told_paused = True
            notify_safely(self._reporter.painting_paused)
            self._places.notify_all(self.runs)

    async def ended(self) -> None:
        """Return when the work has ended by `close`.

        Raises WorkerMustEnd when no worker is left, and whatever else broke the work of one.
        """
        while True:
            self._raise_what_broke()
            working = [task for task in self._tasks.values() if not task.done()]
            if not working and (self._is_closing or not self._engines_return):
                return
            self._changed.clear()
            changed = asyncio.create_task(self._changed.wait())
            try:
                await asyncio.wait({changed, *working}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                changed.cancel()

    async def close(self, timeout_s: float) -> bool:
        """End all work; the running jobs go back to the queue.

        Returns whether all threads are free; if not, only `os._exit` ends the process at once.
        """
        self._is_closing = True
        self._changed.set()
        closing = (worker.close(task, timeout_s) for worker, task in self._tasks.items())
        return all(await asyncio.gather(*closing))

    def _raise_what_broke(self) -> None:
        for task in self._tasks.values():
            if task.done() and not task.cancelled():
                task.result()

    async def _work(self, worker: Worker) -> None:
        try:
            await worker.work(lambda: self._places.notify(self.runs))
        except WorkerMustEnd as reason:
            self._at_work.remove(worker)
            if not self._at_work and not self._engines_return:
                raise
            self._queue.set_workers(len(self._at_work))
            await self._go_on_without(worker, blames_job=reason.blames_job)

    async def _go_on_without(self, worker: Worker, *, blames_job: bool) -> None:
        runs = worker.runs
        jobs = [await self._end_attempt(run.job, counts=blames_job) for run in runs]
        # No await from here on: a cancel finds a job either in `runs` or in the queue.
        worker.let_go()
        left = len(self._at_work)
        if blames_job:
            notify_safely(
                self._reporter.worker_ended,
                runs[-1].job,
                worker.device,
                worker.state,
                workers_left=left,
                returns=self._engines_return,
            )
        for run, job in zip(runs, jobs, strict=True):
            if job is not None and job.state is JobState.SET_ASIDE:
                log_job("set aside", job, logging.ERROR)
                self._deliveries.take(job)
            elif job is not None and not run.ends_as(RunOutcome.THROW_AWAY):
                log_job("goes to another worker", job, logging.WARNING)
                self._queue.put_first(job)
        self._places.notify(self.runs)

    async def _end_attempt(self, job: Job, *, counts: bool) -> Job | None:
        if not counts:
            return await self._repository.put_back(job.id)
        return await self._repository.end_attempt(job.id, max_attempts=self._max_attempts)
