"""The thread of one device, and an eye on it while it paints."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from app.jobs.job_log import log_job
from app.jobs.limits import JobLimits
from app.jobs.model import Failure, StyleChoice
from app.jobs.repository import JobRepository
from app.jobs.running.clips import ClipPainting, Engine, LentThread
from app.jobs.running.endings import PainterHung
from app.jobs.running.job_run import JobRun
from app.jobs.running.result_files import clip_file
from models.clips.interface import PaintedClip
from models.interface import Painting, StepReport, Style

WantsIn = Callable[[], bool]
LetIn = Callable[[JobRun, LentThread], Awaitable[None]]
StyleOf = Callable[[StyleChoice], Style]
"""From a job's style to what the engine paints in: a preset knows how it is painted best."""


def plain_style(choice: StyleChoice) -> Style:
    """A style painted as usual."""
    return Style(choice.picture, choice.weight)


class DevicePainter:
    """Has the engine of a device paint in its thread; the loop never waits for it."""

    def __init__(
        self,
        device: str,
        stylizer: Engine,
        *,
        repository: JobRepository,
        results: Path,
        limits: JobLimits,
        style_of: StyleOf,
        on_step: Callable[[JobRun, StepReport], None],
    ) -> None:
        """`on_step` is called in the loop."""
        self._device = device
        self._stylizer = stylizer
        self._repository = repository
        self._results = results
        self._limits = limits
        self._style_of = style_of
        self._on_step = on_step
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"painting on {device}")

    def close(self) -> None:
        """Paint no more; it waits for nothing."""
        self._thread.shutdown(wait=False)

    async def paint(self, run: JobRun, thread: Executor | None = None) -> Painting:
        """Paint with an eye on the steps; `thread` is one that a clip has lent.

        Raises PainterHung, and what the engine raises.
        """
        loop = asyncio.get_running_loop()

        def on_step(report: StepReport) -> None:
            run.give_sign()
            with suppress(RuntimeError):  # the loop is closed: nobody is left to hear of it
                loop.call_soon_threadsafe(self._on_step, run, report)

        request = run.job.request
        call = partial(self._stylizer.stylize, on_step=on_step, stop=run.stop)
        run.give_sign()
        future = loop.run_in_executor(
            thread or self._thread, call, request.content, self._styles(run), request.options
        )
        try:
            await self._watch(run, future)
            return future.result()
        finally:
            future.cancel()  # of no effect but after a hang, when nobody waits for it any more

    async def paint_clip(self, run: JobRun, *, wants_in: WantsIn, let_in: LetIn) -> PaintedClip:
        """Likewise; between two frames the thread may be lent to a guest.

        Raises what `let_in` raises, too.
        """
        painting = ClipPainting(
            run,
            wants_in=wants_in,
            let_in=let_in,
            on_step=self._on_step,
        )
        run.give_sign()
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
            patience_s = self._limits.watchdog_s - run.silent_s()
            if patience_s <= 0:
                await self._repository.note_cause(run.job.id, Failure.HUNG)
                reason = PainterHung(f"no step for {self._limits.watchdog_s:g} s")
                log_job("hung", run.job, logging.CRITICAL, error=reason, device=self._device)
                raise reason
            awaited = {future} if guest is None else {future, guest}
            await asyncio.wait(awaited, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            if guest is not None and guest.done():
                return guest.result()
        return None

    def _styles(self, run: JobRun) -> list[Style]:
        return [self._style_of(choice) for choice in run.job.request.styles]
