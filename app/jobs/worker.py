"""The one consumer of the queue: hands jobs to the GPU thread and its steps back to the loop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from app.jobs.courier import Courier
from app.jobs.failures import check_pictures, failure_of
from app.jobs.job import Failure, StylePick
from app.jobs.journal import log_job
from app.jobs.ports import Reporter
from app.jobs.queue import JobQueue
from app.jobs.results import save_result
from app.jobs.run import Run, Wish
from app.jobs.store import JobStore
from app.jobs.telling import tell, tell_places
from app.jobs.timings import Timings
from models.interface import DeviceLostError, Note, Painting, StepReport, Style, Stylizer

StyleOf = Callable[[StylePick], Style]
"""From a job's style to what the engine paints in: a preset knows how it is painted best."""


def plain_style(pick: StylePick) -> Style:
    """A style painted as usual."""
    return Style(pick.picture, pick.weight)


WORTH_A_LOOK = {Note.SHRUNK, Note.DIVERGED}
"""Notes that the owner of the box should see among the warnings."""


class ProcessMustEnd(Exception):  # noqa: N818 - it is an order
    """Painting can't go on in this process; its supervisor is to start another.

    The GPU thread may never return, and the interpreter would wait for it: once everything else
    is closed, end the process by `os._exit(order.exit_code)`. The queue is on the disk.
    """

    exit_code: int


class DeviceLost(ProcessMustEnd):
    """The card's context is gone; no later picture could be painted."""

    exit_code = 70


class PainterHung(ProcessMustEnd):
    """No step for longer than the watchdog waits; a thread can't be killed."""

    exit_code = 71


class Worker:
    """One consumer for one device, with one thread."""

    def __init__(
        self,
        *,
        stylizer: Stylizer,
        store: JobStore,
        queue: JobQueue,
        reporter: Reporter,
        courier: Courier,
        timings: Timings,
        results: Path,
        watchdog_s: float,
        style_of: StyleOf = plain_style,
    ) -> None:
        self._stylizer = stylizer
        self._store = store
        self._queue = queue
        self._reporter = reporter
        self._courier = courier
        self._timings = timings
        self._results = results
        self._watchdog_s = watchdog_s
        self._style_of = style_of
        self._gpu_thread = ThreadPoolExecutor(1, thread_name_prefix="gpu")
        self._closing = False
        self.run: Run | None = None

    async def work(self) -> None:
        """Paint one job after the other until told to end. Raises ProcessMustEnd."""
        while not self._closing:
            job = await self._queue.get()
            # No await in between: a cancel finds the job in the queue or in `run`, never nowhere.
            self.run = Run(job)
            try:
                tell_places(self._queue, self._reporter)
                await self._handle(self.run)
            finally:
                self.run = None

    async def close(self, task: asyncio.Task[None], timeout_s: float) -> bool:
        """End `task`, which runs `work`; the running job goes back to the queue.

        Returns whether the GPU thread is free; if not, only `os._exit` ends the process at once.
        """
        self._closing = True
        run, timed_out = self.run, False
        if run is not None:
            run.end(Wish.PUT_BACK)
            _, unfinished = await asyncio.wait({task}, timeout=timeout_s)
            timed_out = bool(unfinished)
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        if timed_out and run is not None and await self._store.put_back(run.job.id):
            log_job("put back", run.job)
        self._gpu_thread.shutdown(wait=False)
        return not timed_out and not isinstance(outcome, PainterHung)

    async def _handle(self, run: Run) -> None:
        job = await self._store.start(run.job.id)
        if job is None or run.is_wished(Wish.THROW_AWAY):
            return  # cancelled in this very moment
        run.job = job
        log_job("started", job)
        tell(self._reporter.started, job)
        try:
            await asyncio.to_thread(check_pictures, job.request)
            await self._keep(run, await self._paint(run))
        except ProcessMustEnd:
            raise
        except DeviceLostError as error:
            log_job("lost its device", job, logging.CRITICAL, error=error)
            raise DeviceLost(str(error)) from error
        except Exception as error:
            await self._fail(run, failure_of(error), error)

    async def _paint(self, run: Run) -> Painting:
        """Paint in the GPU thread, with an eye on its steps."""
        loop = asyncio.get_running_loop()

        def on_step(report: StepReport) -> None:
            run.last_sign = time.monotonic()
            with suppress(RuntimeError):  # the loop is closed: nobody is left to hear of it
                loop.call_soon_threadsafe(self._stepped, run, report)

        request = run.job.request
        styles = [self._style_of(pick) for pick in request.styles]
        call = partial(self._stylizer.stylize, on_step=on_step, stop=run.stop)
        run.last_sign = time.monotonic()
        future = loop.run_in_executor(
            self._gpu_thread, call, request.content, styles, request.options
        )
        try:
            await self._watch(run, future)
            return future.result()
        finally:
            future.cancel()  # of no effect but after a hang, when nobody waits for it any more

    async def _watch(self, run: Run, future: asyncio.Future[Painting]) -> None:
        """Wait for the painter. Raises PainterHung when it gives no sign for too long."""
        while not future.done():
            patience_s = self._watchdog_s - (time.monotonic() - run.last_sign)
            if patience_s <= 0:
                await self._store.note_hang(run.job.id)
                order = PainterHung(f"no step for {self._watchdog_s:g} s")
                log_job("hung", run.job, logging.CRITICAL, error=order)
                raise order
            await asyncio.wait({future}, timeout=patience_s)

    def _stepped(self, run: Run, report: StepReport) -> None:
        if run is self.run and not run.is_wished(Wish.THROW_AWAY):
            run.report = report
            tell(self._reporter.stepped, run.job, report)

    async def _keep(self, run: Run, painting: Painting) -> None:
        """Do with a finished picture as is wished."""
        if run.is_wished(Wish.PUT_BACK) and Note.STOPPED in painting.notes:
            await self._store.put_back(run.job.id)
            log_job("put back", run.job)
        elif not run.is_wished(Wish.THROW_AWAY):
            await self._save(run, painting)

    async def _save(self, run: Run, painting: Painting) -> None:
        """Bring the picture to the disk, and on its way."""
        seconds = run.seconds_spent()
        path = await asyncio.to_thread(save_result, painting.picture, run.job, self._results)
        job = await self._store.painted(
            run.job.id,
            result=path,
            notes=painting.notes,
            seconds=seconds,
            faces=painting.faces,
        )
        if job is None or run.is_wished(Wish.THROW_AWAY):  # cancelled while it was being saved
            await asyncio.to_thread(path.unlink, missing_ok=True)
            return
        if Note.STOPPED not in painting.notes:
            self._timings.record(job.request.options, seconds)
        log_job("painted", job, logging.WARNING if WORTH_A_LOOK & job.notes else logging.INFO)
        self._courier.take(job)

    async def _fail(self, run: Run, failure: Failure, error: Exception) -> None:
        job = await self._store.fail(run.job.id, failure)
        if job is None:
            return  # cancelled meanwhile: nobody waits for it
        level = logging.ERROR if failure is Failure.INTERNAL else logging.WARNING
        log_job("failed", job, level, error=error)
        self._courier.take(job)
