"""A consumer of the queue: hands jobs to its device's thread and their steps back to the loop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from app.exit_codes import ExitCode
from app.jobs.deliveries import DeliveryService
from app.jobs.interface import Reporter, WorkerState
from app.jobs.job_log import log_job
from app.jobs.limits import JobLimits
from app.jobs.model import Failure, JobNote, StyleChoice
from app.jobs.notifications import notify_safely
from app.jobs.queue import JobQueue
from app.jobs.repository import JobRepository
from app.jobs.running.clips import ClipPainting, Engine, LentThread
from app.jobs.running.failures import check_pictures, failure_of
from app.jobs.running.job_run import JobRun, RunOutcome
from app.jobs.running.result_files import clip_file, delete_result, flush_clip, save_result
from app.jobs.running.timings import Timings
from app.pictures.frames import frames_file
from app.storage.disk_room import DiskRoom
from models.clips.interface import ClipCancelledError, ClipNote, PaintedClip
from models.interface import (
    DeviceAwayError,
    DeviceLostError,
    KilledForMemoryError,
    Note,
    Painting,
    StepReport,
    Style,
)

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
    blames_job: bool = True
    """Whether it may be the doing of the job in work."""


class DeviceLost(WorkerMustEnd):
    """The GPU's context is gone; no later picture could be painted on it."""

    exit_code = ExitCode.DEVICE_LOST
    state = WorkerState.LOST


class DeviceAway(DeviceLost):
    """The machine that it is in is gone; no job has done that."""

    blames_job = False


class PainterHung(WorkerMustEnd):
    """No step for longer than the watchdog waits; a thread can't be killed."""

    exit_code = ExitCode.HUNG
    state = WorkerState.HUNG


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finished:
    """A result that lies on the disk, and what is to be noted of it."""

    path: Path
    notes: frozenset[JobNote]
    seconds: float
    size_bytes: int
    faces: int = 0
    frames: int = 0


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
        self._limits = limits
        self._style_of = style_of
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"painting on {device}")
        self._closing = False
        self._on_taken: Callable[[], None] = lambda: None
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
        self._on_taken = on_taken
        while not self._closing:
            job = await self._queue.get()
            # No await in between: a cancel finds the job in the queue or in `run`, never nowhere.
            self.run = JobRun(job)
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
        self._thread.shutdown(wait=False)

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
                await self._finish(run, await self._paint(run, thread or self._thread))
            else:
                await self._keep(run, partial(self._finished_clip, await self._paint_clip(run)))
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

    async def _paint(self, run: JobRun, thread: Executor) -> Painting:
        """Paint in the thread of the device, with an eye on the steps."""
        loop = asyncio.get_running_loop()

        def on_step(report: StepReport) -> None:
            run.last_sign = time.monotonic()
            with suppress(RuntimeError):  # the loop is closed: nobody is left to hear of it
                loop.call_soon_threadsafe(self._stepped, run, report)

        request = run.job.request
        call = partial(self._stylizer.stylize, on_step=on_step, stop=run.stop)
        run.last_sign = time.monotonic()
        future = loop.run_in_executor(
            thread, call, request.content, self._styles(run), request.options
        )
        try:
            await self._watch(run, future)
            return future.result()
        finally:
            future.cancel()  # of no effect but after a hang, when nobody waits for it any more

    async def _paint_clip(self, run: JobRun) -> PaintedClip:
        """Likewise; between two frames the thread may be lent to a guest."""
        painting = ClipPainting(
            run,
            wants_in=lambda: not self._queue.empty(),
            let_in=self._let_in,
            on_step=self._stepped,
        )
        run.last_sign = time.monotonic()
        future = painting.begin(
            self._stylizer,
            self._thread,
            self._styles(run),
            output=clip_file(run.job.id, self._results),
            limits=self._limits.clips,
        )
        try:
            while not future.done():
                guest = asyncio.ensure_future(painting.next_guest())
                try:
                    await self._watch(run, future, guest)
                finally:
                    guest.cancel()
                    await asyncio.gather(guest, return_exceptions=True)
            return future.result()
        finally:
            # Of effect where it was a guest that this worker ends for.
            run.stop.set()
            run.cancel.set()
            future.cancel()

    async def _let_in(self, clip: JobRun, thread: LentThread) -> None:
        """Have the next photo of somebody else painted while the clip waits, if it may come in."""
        if self._closing or time.monotonic() < clip.next_turn_at:
            return
        job = self._queue.take_picture(not_of=clip.job.request.user_id)
        if job is None:
            return
        # No await in between, as in `work`.
        clip.guest = guest = JobRun(job)
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
        clip.next_turn_at = time.monotonic() + min(guest.seconds_spent(), self._limits.clip_turn_s)

    def _see_out(self, clip: JobRun) -> None:
        """A clip's guest is gone."""
        if clip.guest is not None:
            self._release(clip.guest)
            clip.guest = None

    async def _watch(
        self,
        run: JobRun,
        future: asyncio.Future[Any],
        guest: asyncio.Future[None] | None = None,
    ) -> None:
        """Wait for the painter, or until a guest has gone.

        Raises PainterHung when the painter gives no sign for too long, and what befell a guest.
        """
        while not future.done():
            silent_s = 0.0 if run.guest is not None else time.monotonic() - run.last_sign
            patience_s = self._limits.watchdog_s - silent_s
            if patience_s <= 0:
                await self._repository.note_cause(run.job.id, Failure.HUNG)
                reason = PainterHung(f"no step for {self._limits.watchdog_s:g} s")
                log_job("hung", run.job, logging.CRITICAL, error=reason, device=self.device)
                raise reason
            awaited = {future} if guest is None else {future, guest}
            await asyncio.wait(awaited, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            if guest is not None and guest.done():
                return guest.result()
        return None

    def _styles(self, run: JobRun) -> list[Style]:
        return [self._style_of(choice) for choice in run.job.request.styles]

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
            await self._keep(run, partial(self._finished_picture, run, painting))

    async def _put_back(self, run: JobRun) -> None:
        if await self._repository.put_back(run.job.id):
            log_job("put back", run.job)

    async def _finished_picture(self, run: JobRun, painting: Painting) -> _Finished:
        """Write the picture, and the frames of its film, to the disk."""
        seconds = run.seconds_spent()
        saved = await asyncio.to_thread(
            save_result,
            painting.picture,
            run.job,
            self._results,
            max_bytes=round(self._limits.max_file_mb * 1_000_000),
        )
        return _Finished(
            path=saved.path,
            notes=painting.notes | saved.notes,
            seconds=seconds,
            size_bytes=(await asyncio.to_thread(saved.path.stat)).st_size,
            faces=painting.faces,
            frames=await run.frames.save(frames_file(saved.path)),
        )

    async def _finished_clip(self, painted: PaintedClip) -> _Finished:
        size_bytes = await asyncio.to_thread(flush_clip, painted.path)
        return _Finished(
            path=painted.path,
            notes=frozenset(painted.notes),
            seconds=painted.seconds,
            size_bytes=size_bytes,
        )

    async def _keep(self, run: JobRun, finished: Callable[[], Awaitable[_Finished]]) -> None:
        """Have the result on the disk and delivered, unless nobody wants it any more."""
        async with self.saving:
            if run.ends_as(RunOutcome.THROW_AWAY):
                await asyncio.to_thread(delete_result, clip_file(run.job.id, self._results))
                return
            result = await finished()
            job = await self._repository.painted(
                run.job.id,
                result=result.path,
                notes=result.notes,
                seconds=result.seconds,
                faces=result.faces,
                frames=result.frames,
            )
            if job is None or run.ends_as(RunOutcome.THROW_AWAY):  # cancelled meanwhile
                await asyncio.to_thread(delete_result, result.path)
                return
            self._room.note_written(result.size_bytes)
        self.painted += 1
        if not {Note.STOPPED, ClipNote.CUT_OFF} & result.notes:
            self._timings.record(job.request.options, result.seconds, job.clip_frames)
        log_job("painted", job, logging.WARNING if WORTH_A_LOOK & job.notes else logging.INFO)
        self._deliveries.take(job)

    async def _fail(self, run: JobRun, failure: Failure, error: Exception) -> None:
        job = await self._repository.fail(run.job.id, failure)
        if job is None:
            return  # cancelled meanwhile: nobody waits for it
        level = logging.ERROR if failure is Failure.INTERNAL else logging.WARNING
        log_job("failed", job, level, error=error)
        self._deliveries.take(job)
