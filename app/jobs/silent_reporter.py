"""A reporter that nobody listens to: for those who wait for results alone."""

from __future__ import annotations

import asyncio

from app.jobs.interface import WorkerState
from app.jobs.model import Job
from models.interface import StepReport


class SilentReporter:
    """What `app.jobs.interface.Reporter` asks for besides deliveries and failures."""

    def waiting(self, job: Job, place: int, seconds_left: float) -> None:
        """Nobody watches."""

    def started(self, job: Job) -> None:
        """Nobody watches."""

    def stepped(self, job: Job, report: StepReport) -> None:
        """Nobody watches."""

    def painting_ended(self, job: Job) -> None:
        """Nobody watches."""

    def cancelled(self, job: Job) -> None:
        """Nobody watches."""

    def worker_ended(
        self, job: Job, device: str, state: WorkerState, *, workers_left: int, returns: bool
    ) -> None:
        """Nobody watches."""

    def painting_paused(self) -> None:
        """Nobody watches."""

    def painting_resumed(self, device: str) -> None:
        """Nobody watches."""

    async def next_unreachable_chat(self) -> int:
        """All chats can be reached."""
        await asyncio.Event().wait()
        raise AssertionError
