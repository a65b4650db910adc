"""What more workers bring: jobs through the real queue, painted by engines of a fixed speed."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Never

from app.jobs.limits import JobLimits
from app.jobs.model import Failure, Job, JobRequest, StyleChoice
from app.jobs.service import LocalJobService
from app.jobs.silent_reporter import SilentReporter
from app.jobs.store import JobStore
from models.interface import (
    OnStep,
    Painting,
    StepReport,
    Style,
    StyleOptions,
    ignore_step,
)
from models.pictures.reading import open_picture

SIZE_PX = 64
"""Small, so that files cost nothing beside the painting."""
_STEPS = 5


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """Pictures a minute by the number of workers."""

    seconds_each: float
    per_minute: dict[int, float]

    def ratio(self, workers: int) -> float:
        """How many times as much as one worker."""
        return self.per_minute[workers] / self.per_minute[1]

    def __str__(self) -> str:
        lines = ["| workers | pictures a minute | times one worker |", "|---|---|---|"]
        lines += [
            f"| {count} | {rate:.0f} | {self.ratio(count):.2f} |"
            for count, rate in self.per_minute.items()
        ]
        return "\n".join(lines)


def measure_workers(
    photo: Path,
    *,
    pictures: int = 24,
    seconds_each: float = 0.25,
    counts: Sequence[int] = (1, 2, 4),
) -> WorkerFigures:
    """Paint so many `pictures` of `seconds_each` with each number of workers; 1 is among them."""
    rates = {
        count: asyncio.run(_pictures_per_minute(photo, pictures, seconds_each, count))
        for count in counts
    }
    return WorkerFigures(seconds_each, rates)


async def _pictures_per_minute(
    photo: Path, pictures: int, seconds_each: float, workers: int
) -> float:
    with tempfile.TemporaryDirectory() as folder:
        store = await JobStore.open(Path(folder), bot_id=1)
        store.folders.make()
        reporter = _Counter(pictures)
        engine = _FixedSpeed(seconds_each)
        job_service = LocalJobService(
            store,
            stylizers={f"cuda:{number}": engine for number in range(workers)},
            reporter=reporter,
            limits=_limits(pictures),
        )
        await job_service.start()
        try:
            began = time.perf_counter()
            await job_service.submit(*(_request(photo, number) for number in range(pictures)))
            await reporter.all_delivered.wait()
            return pictures / (time.perf_counter() - began) * 60
        finally:
            await job_service.drain()
            await store.close()


def _limits(pictures: int) -> JobLimits:
    return JobLimits(
        max_jobs=pictures,
        max_jobs_per_user=pictures,
        max_daily_per_user=None,
        watchdog_s=60.0,
        keep_pictures_hours=1.0,
        disk_quota_mb=1000.0,
    )


def _request(photo: Path, number: int) -> JobRequest:
    return JobRequest(
        origin=f"bench:{number}",
        user_id=number,
        chat_id=number,
        language="en",
        content=photo,
        styles=(StyleChoice(photo),),
        options=StyleOptions(size_px=SIZE_PX),
    )


@dataclass(frozen=True, slots=True)
class _FixedSpeed:
    """Takes so long for each picture, whatever is asked of it, and none of the processor."""

    seconds_each: float

    def stylize_clip(self, *_: Any, **__: Any) -> Never:
        raise NotImplementedError("only pictures are measured")

    def stylize(
        self,
        content: Path,
        styles: Sequence[Style],
        options: StyleOptions,
        *,
        on_step: OnStep = ignore_step,
        stop: threading.Event | None = None,
    ) -> Painting:
        began = time.monotonic()
        picture = open_picture(content, long_side_px=options.size_px)
        for step in range(1, _STEPS + 1):
            time.sleep(max(0.0, began + self.seconds_each * step / _STEPS - time.monotonic()))
            on_step(StepReport(step=step, steps=_STEPS, seconds_spent=0.0, seconds_left=None))
        return Painting(picture=picture, options=options, steps=_STEPS, seconds=self.seconds_each)


@dataclass(slots=True)
class _Counter(SilentReporter):
    """A reporter that takes every delivery and tells when so many have come."""

    wanted: int
    delivered: int = 0
    all_delivered: asyncio.Event = field(default_factory=asyncio.Event)

    async def deliver(self, job: Job) -> None:
        self.delivered += 1
        if self.delivered == self.wanted:
            self.all_delivered.set()

    async def deliver_album(self, jobs: list[Job]) -> None:
        for job in jobs:
            await self.deliver(job)

    async def failed(self, job: Job, failure: Failure) -> None:
        raise RuntimeError(f"a job of the bench failed: {failure}")
