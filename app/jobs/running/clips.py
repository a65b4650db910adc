"""A clip in the GPU thread, which lets other people's photos in between two of its frames.

Their clips wait for its end: a photo is painted to its end within the call that lends the thread,
but two clips in turn would need a thread and the memory of a whole clip each, for a wait that
`CLIP_MAX_SECONDS` bounds.
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from app.jobs.running.job_run import JobRun
from models.clips.interface import ClipLimits, ClipReport, ClipStylizer, PaintedClip
from models.interface import StepReport, Style, Stylizer

T = TypeVar("T")


class Engine(Stylizer, ClipStylizer, Protocol):
    """What paints both, in one thread."""


class LentThread(Executor):
    """The thread that calls `work` does what is submitted, until it is given back."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        self._calls.put(partial(_call, future, partial(fn, *args, **kwargs)))
        return future

    def work(self) -> None:
        """Returns once the thread is given back."""
        while (call := self._calls.get()) is not None:
            call()

    def give_back(self) -> None:
        self._calls.put(None)


def _call(future: Future[T], call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)


class ClipPainting:
    """One clip on its way through the GPU thread."""

    def __init__(
        self,
        run: JobRun,
        *,
        wants_in: Callable[[], bool],
        let_in: Callable[[JobRun, LentThread], Awaitable[None]],
        on_step: Callable[[JobRun, StepReport], None],
    ) -> None:
        """`wants_in` is asked in the GPU thread whether anybody waits at all; `let_in` has a photo
        painted in the lent thread, if there is one whose turn it is.
        """
        self._run = run
        self._wants_in = wants_in
        self._let_in = let_in
        self._on_step = on_step
        self._loop = asyncio.get_running_loop()
        self._lent: asyncio.Queue[LentThread] = asyncio.Queue()

    def begin(
        self,
        stylizer: ClipStylizer,
        thread: Executor,
        styles: Sequence[Style],
        *,
        output: Path,
        limits: ClipLimits,
    ) -> asyncio.Future[PaintedClip]:
        request = self._run.job.request
        assert request.clip is not None  # noqa: S101 - only clips come here
        call = partial(
            stylizer.stylize_clip,
            output=output,
            kind=request.clip.kind,
            limits=limits,
            on_frame=self._on_frame,
            between_frames=self._between_frames,
            stop=self._run.stop,
            cancel=self._run.cancel,
        )
        return self._loop.run_in_executor(thread, call, request.content, styles, request.options)

    async def next_guest(self) -> None:
        """Wait until the clip is between two frames and somebody waits; let them in.

        Raises what `let_in` raises. What the guest takes is no silence of the clip's.
        """
        lent = await self._lent.get()
        try:
            await self._let_in(self._run, lent)
        finally:
            self._run.give_sign()
            lent.give_back()

    # In the GPU thread

    def _on_frame(self, report: ClipReport) -> None:
        self._run.give_sign()
        with suppress(RuntimeError):  # the loop is closed: nobody is left to hear of it
            self._loop.call_soon_threadsafe(self._on_step, self._run, _as_step(report))

    def _between_frames(self) -> None:
        self._run.give_sign()
        if self._run.stop.is_set() or not self._wants_in():
            return
        lent = LentThread()
        with suppress(RuntimeError):  # likewise
            self._loop.call_soon_threadsafe(self._lent.put_nowait, lent)
            lent.work()


def _as_step(report: ClipReport) -> StepReport:
    """A frame is to a clip what a step is to a picture."""
    return StepReport(
        step=report.frame,
        steps=report.frames,
        seconds_spent=report.seconds_spent,
        seconds_left=report.seconds_left,
        picture=report.picture,
    )
