"""A consumer of the queue: hands jobs to its device's thread and their steps back to the loop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from app.exit_codes import ExitCode
from app.jobs.deliveries import DeliveryService
from app.jobs.interface import Reporter, WorkerState
from app.jobs.job_log import log_job
from app.jobs.model import Failure, StyleChoice
from app.jobs.notifications import notify_safely
from app.jobs.queue import JobQueue
from app.jobs.repository import JobRepository
from app.jobs.running.failures import check_pictures, failure_of
from app.jobs.running.job_run import JobRun, RunOutcome
from app.jobs.running.result_files import delete_result, save_result
from app.jobs.running.timings import Timings
from app.pictures.frames import frames_file
from app.storage.disk_room import DiskRoom
from models.interface import DeviceLostError, Note, Painting, StepReport, Style, Stylizer

StyleOf = Callable[[StyleChoice], Style]
"""From a job's style to what the engine paints in: a preset knows how it is painted best."""


def plain_style(choice: StyleChoice) -> Style:
    """A style painted as usual."""
    return Style(choice.picture, choice.weight)


WORTH_A_LOOK = {Note.SHRUNK, Note.DIVERGED, Note.NOT_FOR_PRINT}
"""Notes that the owner of the box should see among the warnings."""


class WorkerMustEnd(Exception):  # noqa: N818 - it is a request to whoever runs the workers
    """Painting can't go on in this worker. Where it was the last one the process is to end.

    Its thread may never return, and the interpreter would wait for it: once everything else is
    closed, end the process by `os._exit(reason.exit_code)`. The queue is on the disk.
    """

    exit_code: int
    state: WorkerState


class DeviceLost(WorkerMustEnd):
    """The GPU's context is gone; no later picture could be painted on it."""

    exit_code = ExitCode.DEVICE_LOST
    state = WorkerState.LOST


class PainterHung(WorkerMustEnd):
    """No step for longer than the watchdog waits; a thread can't be killed."""

    exit_code = ExitCode.HUNG
    state = WorkerState.HUNG


class Worker:
    """One consumer for one device, with one thread."""

    def __init__(
        self,
        device: str,
        stylizer: Stylizer,
        *,
        repository: JobRepository,
        queue: JobQueue,
        reporter: Reporter,
        deliveries: DeliveryService,
        timings: Timings,
        results: Path,
        room: DiskRoom,
        watchdog_s: float,
        max_file_bytes: int,
        style_of: StyleOf = plain_style,
    ) -> None:
        """`device` is what `stylizer` paints on, as torch names it."""
        self.device = device
        self._stylizer = stylizer
        self._repository = repository
        self._queue = queue
        self._reporter = reporter
        self._deliveries = deliveries
        self._timings = timings
        self._results = results
        self._room = room
        self._watchdog_s = watchdog_s
        self._max_file_bytes = max_file_bytes
        self._style_of = style_of
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"gpu {device}")
        self._closing = False
        self.run: JobRun | None = None
        """After a `WorkerMustEnd` still the job that it befell, until `let_go`."""
        self.painted = 0
        """Pictures since the start."""
        self.ended: WorkerMustEnd | None = None
        """Why it paints no more."""
        self.saving = asyncio.Lock()
        """Held while a picture is written to the disk: whoever has thrown a job away and then had
        the lock knows that no file of it will come."""

    @property
    def state(self) -> WorkerState:
        if self.ended is not None:
            return self.ended.state
        return WorkerState.IDLE if self.run is None else WorkerState.PAINTING

    async def work(self, on_taken: Callable[[], None]) -> None:
        """Paint one job after the other until told to end; `on_taken` hears of each.

        Raises WorkerMustEnd.
        """
        while not self._closing:
            job = await self._queue.get()
            # No await in between: a cancel finds the job in the queue or in `run`, never nowhere.
            self.run = JobRun(job)
            try:
                on_taken()
                await self._handle(self.run)
            except WorkerMustEnd as reason:
                self.ended = reason
                self.run.stop.set()  # should its thread ever come back
                raise
            except BaseException:
                self.let_go()
                raise
            self.let_go()

    def let_go(self) -> None:
        """The job in `run` is no longer this worker's."""
        if self.run is not None:
            self._queue.release(self.run.job.id)
            notify_safely(self._reporter.painting_ended, self.run.job)
            self.run = None

    async def close(self, task: asyncio.Task[None], timeout_s: float) -> bool:
        """End `task`, which runs `work`; the running job goes back to the queue.

        Returns whether the thread is free; if not, only `os._exit` ends the process at once.
        """
        self._closing = True
        run, timed_out = self.run, False
        if run is not None and not task.done():
            run.end(RunOutcome.PUT_BACK)
            _, unfinished = await asyncio.wait({task}, timeout=timeout_s)
            timed_out = bool(unfinished)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if timed_out and run is not None and await self._repository.put_back(run.job.id):
            log_job("put back", run.job)
        self._thread.shutdown(wait=False)
        return not timed_out and not isinstance(self.ended, PainterHung)

    async def _handle(self, run: JobRun) -> None:
        job = await self._repository.start(run.job.id)
        if job is None or run.ends_as(RunOutcome.THROW_AWAY):
            return  # cancelled in this very moment
        run.job = job
        log_job("started", job, device=self.device)
        notify_safely(self._reporter.started, job)
        try:
            await asyncio.to_thread(check_pictures, job.request)
            await self._finish(run, await self._paint(run))
        except WorkerMustEnd:
            raise
        except DeviceLostError as error:
            log_job("lost its device", job, logging.CRITICAL, error=error, device=self.device)
            raise DeviceLost(str(error)) from error
        except Exception as error:
            await self._fail(run, failure_of(error), error)

    async def _paint(self, run: JobRun) -> Painting:
        """Paint in the thread of the device, with an eye on the steps."""
        loop = asyncio.get_running_loop()

        def on_step(report: StepReport) -> None:
            run.last_sign = time.monotonic()
            with suppress(RuntimeError):  # the loop is closed: nobody is left to hear of it
                loop.call_soon_threadsafe(self._stepped, run, report)

        request = run.job.request
        styles = [self._style_of(choice) for choice in request.styles]
        call = partial(self._stylizer.stylize, on_step=on_step, stop=run.stop)
        run.last_sign = time.monotonic()
        future = loop.run_in_executor(self._thread, call, request.content, styles, request.options)
        try:
            await self._watch(run, future)
            return future.result()
        finally:
            future.cancel()  # of no effect but after a hang, when nobody waits for it any more

    async def _watch(self, run: JobRun, future: asyncio.Future[Painting]) -> None:
        """Wait for the painter. Raises PainterHung when it gives no sign for too long."""
        while not future.done():
            patience_s = self._watchdog_s - (time.monotonic() - run.last_sign)
            if patience_s <= 0:
                await self._repository.note_hang(run.job.id)
                reason = PainterHung(f"no step for {self._watchdog_s:g} s")
                log_job("hung", run.job, logging.CRITICAL, error=reason, device=self.device)
                raise reason
            await asyncio.wait({future}, timeout=patience_s)

    def _stepped(self, run: JobRun, report: StepReport) -> None:
        if run is self.run and not run.ends_as(RunOutcome.THROW_AWAY):
            run.report = report
            if (frame := report.frame or report.picture) is not None:
                run.frames.take(report.step, frame)
            notify_safely(self._reporter.stepped, run.job, report)

    async def _finish(self, run: JobRun, painting: Painting) -> None:
        """Do with a finished picture as its run's outcome says."""
        if run.ends_as(RunOutcome.PUT_BACK) and Note.STOPPED in painting.notes:
            await self._repository.put_back(run.job.id)
            log_job("put back", run.job)
        elif not run.ends_as(RunOutcome.THROW_AWAY):
            await self._save(run, painting)

    async def _save(self, run: JobRun, painting: Painting) -> None:
        """Write the picture to the disk and have it delivered."""
        seconds = run.seconds_spent()
        async with self.saving:
            if run.ends_as(RunOutcome.THROW_AWAY):
                return
            saved = await asyncio.to_thread(
                save_result,
                painting.picture,
                run.job,
                self._results,
                max_bytes=self._max_file_bytes,
            )
            frames = await run.frames.save(frames_file(saved.path))
            job = await self._repository.painted(
                run.job.id,
                result=saved.path,
                notes=painting.notes | saved.notes,
                seconds=seconds,
                faces=painting.faces,
                frames=frames,
            )
            if job is None or run.ends_as(RunOutcome.THROW_AWAY):  # cancelled meanwhile
                await asyncio.to_thread(delete_result, saved.path)
                return
            self._room.note_written((await asyncio.to_thread(saved.path.stat)).st_size)
        self.painted += 1
        if Note.STOPPED not in painting.notes:
            self._timings.record(job.request.options, seconds)
        log_job("painted", job, logging.WARNING if WORTH_A_LOOK & job.notes else logging.INFO)
        self._deliveries.take(job)

    async def _fail(self, run: JobRun, failure: Failure, error: Exception) -> None:
        job = await self._repository.fail(run.job.id, failure)
        if job is None:
            return  # cancelled meanwhile: nobody waits for it
        level = logging.ERROR if failure is Failure.INTERNAL else logging.WARNING
        log_job("failed", job, level, error=error)
        self._deliveries.take(job)
