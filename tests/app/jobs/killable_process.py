"""A process with a job service in it, to be killed: `python -m tests.app.jobs.killable_process`.

Submits the first photos of a data folder (each start the same ones) and ends when all are settled.
A file named `deadly` in that folder makes photo 0 take the process down in mid-painting.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from app.jobs.model import Failure, Job
from app.jobs.service import LocalJobService
from app.jobs.silent_reporter import SilentReporter
from app.jobs.store import JobStore
from models.interface import Painting, StepReport
from tests.app.jobs.data_folder import BOT_ID, DataFolder
from tests.app.jobs.job_limits import make_limits
from tests.app.jobs.stub_stylizers import Inverter, Order, PicturesOnly


class Painter(PicturesOnly):
    """Takes a few milliseconds a step, and may kill the process as the kernel would."""

    def __init__(self, deadly: Path | None) -> None:
        self._deadly = deadly

    def paint(self, order: Order) -> Painting:
        def step(report: StepReport) -> None:
            if order.content == self._deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(0.005)
            order.on_step(report)

        return Inverter().paint(replace(order, on_step=step))


class LedgerReporter(SilentReporter):
    """Writes down what arrives, durably, as Telegram would keep it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")
        self.settled: asyncio.Queue[str] = asyncio.Queue()

    def write(self, *words: str) -> None:
        self._file.write(" ".join(words) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    async def deliver(self, job: Job) -> None:
        assert job.result is not None
        assert job.result.stat().st_size > 0
        self.write("delivered", job.request.origin)
        self.settled.put_nowait(job.request.origin)

    async def deliver_album(self, jobs: list[Job]) -> None:
        for job in jobs:
            await self.deliver(job)

    async def failed(self, job: Job, failure: Failure) -> None:
        self.write("failed", job.request.origin, failure.value)
        self.settled.put_nowait(job.request.origin)

    def cancelled(self, job: Job) -> None:
        self.write("cancelled", job.request.origin)


async def main(root: Path, ledger: Path, jobs: int, max_attempts: int, workers: int) -> None:
    data_folder = DataFolder(root)
    photos = [data_folder.folders.originals / f"{number}.png" for number in range(jobs)]
    reporter = LedgerReporter(ledger)
    store = await JobStore.open(root, bot_id=BOT_ID)
    job_service = LocalJobService(
        store,
        stylizers={
            f"cuda:{number}": Painter(photos[0] if data_folder.deadly.exists() else None)
            for number in range(workers)
        },
        reporter=reporter,
        limits=make_limits(max_jobs_per_user=jobs, max_jobs=jobs, max_attempts=max_attempts),
    )
    await job_service.start()
    reporter.write("ready", "-")
    accepted = await job_service.submit(
        *(
            data_folder.request(user_id=number % 3, origin=f"update:{number}", content=photo)
            for number, photo in enumerate(photos)
        )
    )
    still_open = {job.request.origin for job in accepted if job.state.is_open}
    while still_open:
        still_open.discard(await reporter.settled.get())
    await job_service.drain()
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:])))
