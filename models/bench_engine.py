"""How quick the engine is on this machine, what memory it takes, and what the draft saves.

Timings depend on the machine and its load: compare them only within one run.
"""

from __future__ import annotations

import resource
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import torch

from models.interface import Quality, StepReport, Style, StyleOptions
from models.painter import TorchStylizer

_MEGABYTE = 1e6
_SAMPLES_PER_S = 100


@dataclass(frozen=True, slots=True)
class EngineTiming:
    """One painting."""

    quality: Quality
    size_px: int
    seconds: float
    steps: int
    steps_per_second: float | None
    """None for a draft in one pass."""
    peak_memory_mb: float
    """Above what the process held before."""


@dataclass(frozen=True, slots=True)
class HeadStart:
    """What it saves to start from the draft: until the loss that the run from the photo ends at."""

    size_px: int
    loss: float
    steps_from_photo: int
    seconds_from_photo: float
    steps_from_draft: int | None
    """None if the loss was not reached in as many steps."""
    seconds_from_draft: float | None


class PeakMemory:
    """The most memory that a block of code held above what there was before, in MB.

    On a card torch counts; on a processor a thread looks at the process a hundred times a second.
    """

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._before = self._peak = 0.0
        self.megabytes = 0.0

    def __enter__(self) -> Self:
        if self._cuda:
            torch.cuda.reset_peak_memory_stats()
            self._before = torch.cuda.memory_allocated()
        else:
            self._before = self._peak = _resident_bytes()
            self._watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._cuda:
            self._peak = torch.cuda.max_memory_allocated()
        else:
            self._done.set()
            self._watcher.join()
        self.megabytes = max(0.0, self._peak - self._before) / _MEGABYTE

    def _watch(self) -> None:
        while not self._done.wait(1 / _SAMPLES_PER_S):
            self._peak = max(self._peak, _resident_bytes())


def measure_engine(
    stylizer: TorchStylizer,
    content: Path,
    style: Path,
    *,
    sizes_px: Sequence[int] = (256, 512, 1024),
    qualities: Sequence[Quality] = tuple(Quality),
) -> Iterator[EngineTiming]:
    """Paint once in every quality and size, after one small painting to warm up."""
    styles = [Style(style)]
    stylizer.stylize(content, styles, StyleOptions(size_px=min(sizes_px), steps=3))
    for quality in qualities:
        for size_px in sizes_px:
            options = StyleOptions(quality=quality, size_px=size_px)
            with PeakMemory(stylizer.device) as memory:
                painting = stylizer.stylize(content, styles, options)
            yield EngineTiming(
                quality=quality,
                size_px=size_px,
                seconds=painting.seconds,
                steps=painting.steps,
                steps_per_second=painting.steps / painting.seconds if painting.steps else None,
                peak_memory_mb=memory.megabytes,
            )


def measure_head_start(
    from_photo: TorchStylizer,
    from_draft: TorchStylizer,
    content: Path,
    style: Path,
    *,
    size_px: int = 512,
    shares: Sequence[float] = (1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1.0),
) -> HeadStart:
    """Give the run from the draft more and more steps until it ends where the other one does.

    `from_photo` has no draft network. Both walk through the same scales, so their last losses are
    of the same picture size and compare.
    """
    goal = _paint(from_photo, content, style, StyleOptions(size_px=size_px))
    found = None
    for share in shares:
        options = StyleOptions(size_px=size_px, steps=max(1, round(goal.step * share)))
        run = _paint(from_draft, content, style, options)
        if run.loss is not None and goal.loss is not None and run.loss <= goal.loss:
            found = run
            break
    return HeadStart(
        size_px=size_px,
        loss=goal.loss or 0.0,
        steps_from_photo=goal.step,
        seconds_from_photo=goal.seconds_spent,
        steps_from_draft=found.step if found else None,
        seconds_from_draft=found.seconds_spent if found else None,
    )


def _paint(
    stylizer: TorchStylizer, content: Path, style: Path, options: StyleOptions
) -> StepReport:
    """The last report of a painting."""
    reports: deque[StepReport] = deque(maxlen=1)
    stylizer.stylize(content, [Style(style)], options, on_step=reports.append)
    return reports[0]


def _resident_bytes() -> float:
    """Memory of this process; Linux alone says it without a library."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return float(pages) * resource.getpagesize()
