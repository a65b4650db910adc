"""A consumer of the queue: whose turn it is on one device, and what becomes of each job."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

from app.jobs.deliveries import DeliveryService
from app.jobs.interface import Reporter, WorkerState
from app.jobs.job_log import log_job
from app.jobs.limits import JobLimits
from app.jobs.model import Failure
from app.jobs.notifications import notify_safely
from app.jobs.queue import JobQueue
from app.jobs.repository import JobRepository
from app.jobs.running.clips import Engine, LentThread
from app.jobs.running.endings import DeviceAway, DeviceLost, PainterHung, WorkerMustEnd
from app.jobs.running.failures import check_pictures, failure_of
from app.jobs.running.job_run import JobRun, RunOutcome
from app.jobs.running.painter import DevicePainter, StyleOf, plain_style
from app.jobs.running.saving import ResultKeeper
from app.jobs.running.timings import Timings
from app.storage.disk_room import DiskRoom
from models.clips.interface import ClipCancelledError
from models.interface import (
    DeviceAwayError,
    DeviceLostError,
    KilledForMemoryError,
    Note,
    Painting,
    StepReport,
)


class Worker:
    """One consumer for one device, with one thread."""

    def __init__(
        self,
        device: str,
        stylizer: Engine,
        *,
        repository: JobRepository,
        queue: JobQueue,
        reporter: Reporter,
        deliveries: DeliveryService,
        timings: Timings,
        results: Path,
        room: DiskRoom,
        limits: JobLimits,
        style_of: StyleOf = plain_style,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`device` is what `stylizer` paints on, as torch names it."""
        self.device = device
        self._clock = clock
        self._repository = repository
        self._queue = queue
        self._reporter = reporter
        self._deliveries = deliveries
        self._limits = limits
        self._painter = DevicePainter(
            device,
            stylizer,
            repository=repository,
            results=results,
            limits=limits,
            style_of=style_of,
            on_step=self._stepped,
        )
        self._keeper = ResultKeeper(
            repository=repository,
            deliveries=deliveries,
            timings=timings,
            results=results,
            room=room,
            limits=limits,
        )
        self._closing = False
        self._on_taken: Callable[[], None] = lambda: None
        self.run: JobRun | None = None
        """After a `WorkerMustEnd` still the job that it befell, until `let_go`."""
        self.ended: WorkerMustEnd | None = None
        """Why it paints no more."""

    @property
    def state(self) -> WorkerState:
        if self.ended is not None:
            return self.ended.state
        return WorkerState.IDLE if self.run is None else WorkerState.PAINTING

    @property
    def painted(self) -> int:
        """Pictures and clips since the start."""
        return self._keeper.kept

    @property
    def saving(self) -> asyncio.Lock:
        """Held while a picture is written to the disk, as `ResultKeeper.lock`."""
        return self._keeper.lock

    async def work(self, on_taken: Callable[[], None]) -> None:
        """Paint one job after the other until told to end; `on_taken` hears of each.

        Raises WorkerMustEnd.
        """
        self._on_taken = on_taken
        while not self._closing:
            job = await self._queue.get()
            # No await in between: a cancel finds the job in the queue or in `run`, never nowhere.
            self.run = JobRun(job, clock=self._clock)
            try:
                self._on_taken()
                await self._handle(self.run)
            except WorkerMustEnd as reason:
                self.ended = reason
                for run in self.runs:
                    run.stop.set()  # should its thread ever come back
                raise
            except BaseException:
                self.let_go()
                raise
            self.let_go()

    def let_go(self) -> None:
        """The jobs in `runs` are no longer this worker's."""
        for run in self.runs:
            self._release(run)
        self.run = None

    def _release(self, run: JobRun) -> None:
        self._queue.release(run.job.id)
        notify_safely(self._reporter.painting_ended, run.job)

    async def close(self, task: asyncio.Task[None], timeout_s: float) -> bool:
        """End `task`, which runs `work`; the running job goes back to the queue.

        Returns whether the thread is free; if not, only `os._exit` ends the process at once.
        """
        self._closing = True
        run, runs, timed_out = self.run, self.runs, False
        if run is not None and not task.done():
            for each in runs:
                each.end(RunOutcome.PUT_BACK)
            _, unfinished = await asyncio.wait({task}, timeout=timeout_s)
            timed_out = bool(unfinished)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for each in runs if timed_out else ():
            await self._put_back(each)
        self.dismiss()
        return not timed_out and not isinstance(self.ended, PainterHung)

    def dismiss(self) -> None:
        """Its thread is not needed any more."""
        self._painter.close()

    @property
    def runs(self) -> list[JobRun]:
        """What is in work: the run, and its guest."""
        return [] if self.run is None else self.run.with_guest()

    async def _handle(self, run: JobRun, thread: Executor | None = None) -> None:
        """`thread` is another than the worker's own where a clip has lent it."""
        job = await self._repository.start(run.job.id)
        if job is None or run.ends_as(RunOutcome.THROW_AWAY):
            return  # cancelled in this very moment
        run.job = job
        log_job("started", job, device=self.device)
        notify_safely(self._reporter.started, job)
        try:
            await asyncio.to_thread(check_pictures, job.request)
            if job.request.clip is None:
                await self._finish(run, await self._painter.paint(run, thread))
            else:
                painted = await self._painter.paint_clip(
                    run, wants_in=lambda: not self._queue.empty(), let_in=self._let_in
                )
                await self._keeper.keep_clip(run, painted)
        except WorkerMustEnd:
            raise
        except ClipCancelledError:
            if run.ends_as(RunOutcome.PUT_BACK):
                await self._put_back(run)
        except DeviceAwayError as error:
            log_job("has no device any more", job, logging.WARNING, device=self.device)
            raise DeviceAway(str(error)) from error
        except DeviceLostError as error:
            if isinstance(error, KilledForMemoryError):
                await self._repository.note_cause(job.id, Failure.OUT_OF_MEMORY)
            log_job("lost its device", job, logging.CRITICAL, error=error, device=self.device)
            raise DeviceLost(str(error)) from error
        except Exception as error:
            await self._fail(run, failure_of(error), error)

    async def _let_in(self, clip: JobRun, thread: LentThread) -> None:
        """Have the next photo of somebody else painted while the clip waits, if it may come in."""
        if self._closing or self._clock() < clip.next_turn_at:
            return
        job = self._queue.take_picture(not_of=clip.job.request.user_id)
        if job is None:
            return
        # No await in between, as in `work`.
        clip.guest = guest = JobRun(job, clock=self._clock)
        try:
            self._on_taken()
            await self._repository.pause(clip.job.id)
            await self._handle(guest, thread)
            await self._repository.resume(clip.job.id)
        except WorkerMustEnd:
            raise  # the guest stays in `runs`: it is as homeless as the clip
        except BaseException:
            self._see_out(clip)
            raise
        self._see_out(clip)
        clip.next_turn_at = self._clock() + min(guest.seconds_spent(), self._limits.clip_turn_s)

    def _see_out(self, clip: JobRun) -> None:
        """A clip's guest is gone."""
        if clip.guest is not None:
            self._release(clip.guest)
            clip.guest = None

    def _stepped(self, run: JobRun, report: StepReport) -> None:
        if run in self.runs and not run.ends_as(RunOutcome.THROW_AWAY):
            run.report = report
            is_clip = run.job.request.clip is not None
            if not is_clip and (frame := report.frame or report.picture) is not None:
                run.frames.take(report.step, frame)
            notify_safely(self._reporter.stepped, run.job, report)

    async def _finish(self, run: JobRun, painting: Painting) -> None:
        """Do with a finished picture as its run's outcome says."""
        if run.ends_as(RunOutcome.PUT_BACK) and Note.STOPPED in painting.notes:
            await self._put_back(run)
        else:
            await self._keeper.keep_picture(run, painting)

    async def _put_back(self, run: JobRun) -> None:
        if await self._repository.put_back(run.job.id):
            log_job("put back", run.job)

    async def _fail(self, run: JobRun, failure: Failure, error: Exception) -> None:
        job = await self._repository.fail(run.job.id, failure)
        if job is None:
            return  # cancelled meanwhile: nobody waits for it
        level = logging.ERROR if failure is Failure.INTERNAL else logging.WARNING
        log_job("failed", job, level, error=error)
        self._deliveries.take(job)
