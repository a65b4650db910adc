"""What is left when a process ends badly, and what the next one makes of it."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from app.jobs.model import Failure, JobState
from app.jobs.running.endings import DeviceLost, PainterHung
from models.interface import DeviceLostError
from tests.app.jobs.data_folder import DataFolder
from tests.app.jobs.job_limits import make_limits
from tests.app.jobs.manual_clock import ManualClock
from tests.app.jobs.recording_reporter import RecordingReporter
from tests.app.jobs.stub_stylizers import Breaker, Inverter, Sleeper

REPOSITORY = Path(__file__).parents[3]


async def test_lost_device_ends_the_process_and_keeps_the_queue(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    bad = data_folder.photo()
    breaker = Breaker(DeviceLostError("device-side assert triggered"), {bad})
    async with data_folder.job_service(reporter, breaker) as job_service:
        culprit, innocent = await job_service.submit(
            data_folder.request(content=bad), data_folder.request()
        )
        with pytest.raises(DeviceLost, match="assert") as lost:
            await job_service.ended()
    assert lost.value.exit_code == 70
    assert reporter.of("delivered") == []

    async with data_folder.job_service(reporter):
        await reporter.until_heard("delivered", culprit, innocent)
    assert reporter.failures == {}


async def test_job_that_takes_the_process_down_three_times_is_set_aside(
    data_folder: DataFolder, reporter: RecordingReporter, caplog: pytest.LogCaptureFixture
) -> None:
    bad = data_folder.photo()
    breaker = Breaker(DeviceLostError("device-side assert triggered"), {bad})
    async with data_folder.job_service(reporter, breaker) as job_service:
        culprit, innocent = await job_service.submit(
            data_folder.request(content=bad), data_folder.request()
        )
        with pytest.raises(DeviceLost):
            await job_service.ended()
    for _ in range(2):
        async with data_folder.job_service(reporter, breaker) as job_service:
            with pytest.raises(DeviceLost):
                await job_service.ended()
    async with data_folder.job_service(reporter, breaker) as job_service:
        await reporter.until_heard("failed", culprit)
        await reporter.until_heard("delivered", innocent)
        aside = await job_service.get(culprit.id)

    assert aside is not None
    assert (aside.state, aside.attempts) == (JobState.SET_ASIDE, 3)
    assert reporter.failures == {culprit.id: Failure.CRASHED_TOO_OFTEN}
    assert "job set aside" in caplog.messages


async def test_watchdog_notices_a_painter_that_gives_no_sign(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    limits = make_limits(watchdog_s=0.1, max_attempts=1)
    sleeper = Sleeper()
    try:
        async with data_folder.job_service(reporter, sleeper, limits=limits) as job_service:
            (job,) = await job_service.submit(data_folder.request())
            with pytest.raises(PainterHung) as hung:
                await job_service.ended()
            assert not await job_service.drain(1), "only os._exit gets past that thread"
        assert hung.value.exit_code == 71
        async with data_folder.job_service(reporter, limits=limits):
            await reporter.until_heard("failed", job)
    finally:
        sleeper.release.set()

    assert reporter.failures == {job.id: Failure.HUNG}


async def test_watchdog_is_patient_with_a_slow_painter_that_steps(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    gate, clock = threading.Semaphore(0), ManualClock()
    limits = make_limits(watchdog_s=0.05)
    async with data_folder.job_service(
        reporter, Inverter(steps=8, gate=gate), limits=limits, clock=clock
    ) as job_service:
        (job,) = await job_service.submit(data_folder.request())
        await reporter.until_heard("started", job)
        for step in range(1, 9):
            await clock.move_and_be_read(0.04)
            time.sleep(0.1)  # noqa: ASYNC251 - a busy loop must not look like a hanging painter
            gate.release()
            await reporter.until_step(job, step)
        await reporter.until_heard("delivered", job)


async def test_drain_in_a_long_step_loses_nothing(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    sleeper = Sleeper()
    try:
        async with data_folder.job_service(reporter, sleeper) as job_service:
            (job,) = await job_service.submit(data_folder.request())
            await reporter.until_heard("started", job)
            assert not await job_service.drain(0.1)
            back = await job_service.get(job.id)
    finally:
        sleeper.release.set()
    assert back is not None
    assert (back.state, back.attempts) == (JobState.WAITING, 0)

    async with data_folder.job_service(reporter):
        await reporter.until_heard("delivered", job)


class Ledger:
    """What those killed processes wrote down, each line flushed to the disk."""

    def __init__(self, data_folder: DataFolder, path: Path) -> None:
        self._data_folder = data_folder
        self.path = path
        path.touch()

    def lines(self) -> list[list[str]]:
        return [line.split() for line in self.path.read_text().splitlines()]

    def count(self, event: str) -> Counter[str]:
        return Counter(line[1] for line in self.lines() if line[0] == event)

    def open_process(
        self, *, jobs: int, max_attempts: int, workers: int = 1
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - our own program
            [
                *(sys.executable, "-m", "tests.app.jobs.killable_process"),
                *(
                    str(self._data_folder.folders.root),
                    str(self.path),
                    str(jobs),
                    str(max_attempts),
                    str(workers),
                ),
            ],
            cwd=REPOSITORY,
        )


@pytest.fixture
def ledger(data_folder: DataFolder, tmp_path: Path) -> Ledger:
    return Ledger(data_folder, tmp_path / "ledger.txt")


def kill_in_the_middle(process: "subprocess.Popen[bytes]", ledger: Ledger, wait_s: float) -> None:
    """Kill -9 some time after the process has said that it works."""
    starts = ledger.count("ready")["-"]
    while ledger.count("ready")["-"] == starts and process.poll() is None:
        time.sleep(0.01)
    time.sleep(wait_s)
    process.kill()
    process.wait()


def survive(
    data_folder: DataFolder, ledger: Ledger, *, rounds: int, jobs: int, workers: int
) -> None:
    """Kill processes at random moments; afterwards everything accepted has arrived."""
    chance = random.Random(2016)
    for number in range(jobs):
        data_folder.photo(f"{number}.png")
    for _ in range(rounds):
        process = ledger.open_process(jobs=jobs, max_attempts=rounds + 1, workers=workers)
        kill_in_the_middle(process, ledger, chance.uniform(0.0, 0.3))
    last = ledger.open_process(jobs=jobs, max_attempts=rounds + 1, workers=workers)
    assert last.wait(60) == 0

    delivered = ledger.count("delivered")
    assert set(delivered) == {f"update:{number}" for number in range(jobs)}
    assert ledger.count("failed") == Counter()
    assert delivered.total() - jobs <= rounds, "at most the one in flight comes twice"


@pytest.mark.parametrize("workers", [1, 2])
def test_kill_9_at_random_moments_loses_nothing(
    data_folder: DataFolder, ledger: Ledger, workers: int
) -> None:
    survive(data_folder, ledger, rounds=3, jobs=12, workers=workers)


@pytest.mark.soak
@pytest.mark.parametrize("workers", [1, 2])
def test_kill_9_fifty_times_loses_nothing(
    data_folder: DataFolder, ledger: Ledger, workers: int
) -> None:
    survive(data_folder, ledger, rounds=50, jobs=250, workers=workers)


def test_photo_that_kills_the_process_is_set_aside_and_the_others_arrive(
    data_folder: DataFolder, ledger: Ledger
) -> None:
    for number in range(3):
        data_folder.photo(f"{number}.png")
    data_folder.deadly.touch()
    ends = [ledger.open_process(jobs=3, max_attempts=2).wait(60) for _ in range(3)]

    assert ends == [-signal.SIGKILL, -signal.SIGKILL, 0]
    assert ledger.count("delivered") == Counter({"update:1": 1, "update:2": 1})
    assert ["failed", "update:0", "crashed_too_often"] in ledger.lines()
