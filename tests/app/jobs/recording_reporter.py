"""A reporter that remembers what it was told and answers deliveries by a script."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import av
from PIL import Image

from app.jobs.interface import WorkerState
from app.jobs.model import Failure, Job
from models.interface import StepReport
from tests.patience import PATIENCE_S


@dataclass
class RecordingReporter:
    """Implements `app.jobs.interface.Reporter`."""

    events: list[tuple[str, int]] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    steps: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    failures: dict[int, Failure] = field(default_factory=dict)
    pictures: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Size of each delivered picture, by job."""
    ended_workers: list[tuple[str, WorkerState, int]] = field(default_factory=list)
    pauses: list[str] = field(default_factory=list)
    albums: list[list[int]] = field(default_factory=list)
    answers: deque[Exception] = field(default_factory=deque)
    """What the next deliveries raise, in their order, before they begin to work."""
    hold: asyncio.Event | None = None
    """If there is one, deliveries wait for it."""
    unreachable_chats: asyncio.Queue[int] = field(default_factory=asyncio.Queue)
    delivering: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def waiting(self, job: Job, place: int, seconds_left: float) -> None:
        self.places.append((job.id, place))
        self._changed.set()

    def started(self, job: Job) -> None:
        self._hear("started", job)

    def stepped(self, job: Job, report: StepReport) -> None:
        self.steps[job.id].append(report.step)
        self._hear("stepped", job)

    def painting_ended(self, job: Job) -> None:
        """Told of by what comes of it."""

    async def deliver(self, job: Job) -> None:
        await self._answer()
        self._look_at(job)
        self._hear("delivered", job)

    async def deliver_album(self, jobs: list[Job]) -> None:
        await self._answer()
        self.albums.append([job.id for job in jobs])
        for job in jobs:
            self._look_at(job)
            self._hear("delivered", job)

    async def failed(self, job: Job, failure: Failure) -> None:
        await self._answer()
        self.failures[job.id] = failure
        self._hear("failed", job)

    def cancelled(self, job: Job) -> None:
        self._hear("cancelled", job)

    def worker_ended(
        self, job: Job, device: str, state: WorkerState, *, workers_left: int, returns: bool
    ) -> None:
        self.ended_workers.append((device, state, workers_left))
        self._hear("worker ended", job)

    def painting_paused(self) -> None:
        self.pauses.append("paused")
        self._changed.set()

    def painting_resumed(self, device: str) -> None:
        self.pauses.append(f"resumed on {device}")
        self._changed.set()

    async def next_unreachable_chat(self) -> int:
        return await self.unreachable_chats.get()

    def of(self, event: str) -> list[int]:
        """The jobs that an event was told of, in order."""
        return [job_id for name, job_id in self.events if name == event]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something that was told makes the condition true."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_heard(self, event: str, *jobs: Job) -> None:
        await self.until(lambda: {job.id for job in jobs} <= set(self.of(event)))

    async def until_step(self, job: Job, step: int) -> None:
        await self.until(lambda: step in self.steps[job.id])

    async def _answer(self) -> None:
        self.delivering.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.answers:
            raise self.answers.popleft()

    def _look_at(self, job: Job) -> None:
        assert job.result is not None
        if job.request.clip is not None:
            with av.open(job.result) as clip:
                self.pictures[job.id] = clip.streams.video[0].width, clip.streams.video[0].height
            return
        with Image.open(job.result) as picture:
            self.pictures[job.id] = picture.size

    def _hear(self, event: str, job: Job) -> None:
        self.events.append((event, job.id))
        self._changed.set()
