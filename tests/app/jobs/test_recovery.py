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

from app.jobs.job import Failure, JobState
from app.jobs.limits import StudioLimits
from app.jobs.lock import FolderInUseError
from app.jobs.worker import DeviceLost, PainterHung
from models.interface import DeviceLostError
from tests.app.jobs.engines import Breaker, Inverter, Sleeper
from tests.app.jobs.house import House
from tests.app.jobs.listeners import Listener

REPOSITORY = Path(__file__).parents[3]


async def test_lost_device_ends_the_process_and_keeps_the_queue(
    house: House, listener: Listener
) -> None:
    bad = house.photo()
    breaker = Breaker(DeviceLostError("device-side assert triggered"), {bad})
    async with house.studio(listener, breaker) as studio:
        culprit, innocent = await studio.submit(house.request(content=bad), house.request())
        with pytest.raises(DeviceLost, match="assert") as lost:
            await studio.ended()
    assert lost.value.exit_code == 70
    assert listener.of("delivered") == []

    async with house.studio(listener):
        await listener.until_heard("delivered", culprit, innocent)
    assert listener.failures == {}


async def test_job_that_takes_the_process_down_three_times_is_set_aside(
    house: House, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    bad = house.photo()
    breaker = Breaker(DeviceLostError("device-side assert triggered"), {bad})
    async with house.studio(listener, breaker) as studio:
        culprit, innocent = await studio.submit(house.request(content=bad), house.request())
        with pytest.raises(DeviceLost):
            await studio.ended()
    for _ in range(2):
        async with house.studio(listener, breaker) as studio:
            with pytest.raises(DeviceLost):
                await studio.ended()
    async with house.studio(listener, breaker) as studio:
        await listener.until_heard("failed", culprit)
        await listener.until_heard("delivered", innocent)
        aside = await studio.get(culprit.id)

    assert aside is not None
    assert (aside.state, aside.attempts) == (JobState.SET_ASIDE, 3)
    assert listener.failures == {culprit.id: Failure.CRASHED_TOO_OFTEN}
    assert "job set aside" in caplog.messages


async def test_watchdog_notices_a_painter_that_gives_no_sign(
    house: House, listener: Listener
) -> None:
    limits = StudioLimits(watchdog_s=0.1, max_attempts=1)
    sleeper = Sleeper()
    try:
        async with house.studio(listener, sleeper, limits=limits) as studio:
            (job,) = await studio.submit(house.request())
            with pytest.raises(PainterHung) as hung:
                await studio.ended()
            assert not await studio.drain(1), "only os._exit gets past that thread"
        assert hung.value.exit_code == 71
        async with house.studio(listener, limits=limits):
            await listener.until_heard("failed", job)
    finally:
        sleeper.release.set()

    assert listener.failures == {job.id: Failure.HUNG}


async def test_watchdog_is_patient_with_a_slow_painter_that_steps(
    house: House, listener: Listener
) -> None:
    gate = threading.Semaphore(0)
    limits = StudioLimits(watchdog_s=1.0)
    async with house.studio(listener, Inverter(steps=8, gate=gate), limits=limits) as studio:
        (job,) = await studio.submit(house.request())
        await listener.until_heard("started", job)
        for _ in range(8):
            time.sleep(0.2)  # noqa: ASYNC251 - a busy loop must not look like a hanging painter
            gate.release()
        await listener.until_heard("delivered", job)


async def test_drain_in_a_long_step_loses_nothing(house: House, listener: Listener) -> None:
    sleeper = Sleeper()
    try:
        async with house.studio(listener, sleeper) as studio:
            (job,) = await studio.submit(house.request())
            await listener.until_heard("started", job)
            assert not await studio.drain(0.1)
            back = await studio.get(job.id)
    finally:
        sleeper.release.set()
    assert back is not None
    assert (back.state, back.attempts) == (JobState.WAITING, 0)

    async with house.studio(listener):
        await listener.until_heard("delivered", job)


async def test_second_process_in_the_same_folder_is_refused(
    house: House, listener: Listener
) -> None:
    async with house.studio(listener):
        with pytest.raises(FolderInUseError, match="Another process"):
            async with house.studio(listener):
                pytest.fail("two processes would paint the same jobs")
    async with house.studio(listener):
        pass


class Ledger:
    """What the processes of `tests.app.jobs.process` wrote down, each line flushed to the disk."""

    def __init__(self, house: House, path: Path) -> None:
        self._house = house
        self.path = path
        path.touch()

    def lines(self) -> list[list[str]]:
        return [line.split() for line in self.path.read_text().splitlines()]

    def count(self, event: str) -> Counter[str]:
        return Counter(line[1] for line in self.lines() if line[0] == event)

    def open_process(self, *, jobs: int, max_attempts: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - our own program
            [
                *(sys.executable, "-m", "tests.app.jobs.process"),
                *(str(self._house.folders.root), str(self.path), str(jobs), str(max_attempts)),
            ],
            cwd=REPOSITORY,
        )


@pytest.fixture
def ledger(house: House, tmp_path: Path) -> Ledger:
    return Ledger(house, tmp_path / "ledger.txt")


def kill_in_the_middle(process: "subprocess.Popen[bytes]", ledger: Ledger, wait_s: float) -> None:
    """Kill -9 some time after the process has said that it works."""
    starts = ledger.count("ready")["-"]
    while ledger.count("ready")["-"] == starts and process.poll() is None:
        time.sleep(0.01)
    time.sleep(wait_s)
    process.kill()
    process.wait()


def survive(house: House, ledger: Ledger, *, rounds: int, jobs: int) -> None:
    """Kill processes at random moments; afterwards everything accepted has arrived."""
    chance = random.Random(2016)
    for number in range(jobs):
        house.photo(f"{number}.png")
    for _ in range(rounds):
        process = ledger.open_process(jobs=jobs, max_attempts=rounds + 1)
        kill_in_the_middle(process, ledger, chance.uniform(0.0, 0.3))
    last = ledger.open_process(jobs=jobs, max_attempts=rounds + 1)
    assert last.wait(60) == 0

    delivered = ledger.count("delivered")
    assert set(delivered) == {f"update:{number}" for number in range(jobs)}
    assert ledger.count("failed") == Counter()
    assert delivered.total() - jobs <= rounds, "at most the one in flight comes twice"


def test_kill_9_at_random_moments_loses_nothing(house: House, ledger: Ledger) -> None:
    survive(house, ledger, rounds=3, jobs=12)


@pytest.mark.soak
def test_kill_9_fifty_times_loses_nothing(house: House, ledger: Ledger) -> None:
    survive(house, ledger, rounds=50, jobs=250)


def test_photo_that_kills_the_process_is_set_aside_and_the_others_arrive(
    house: House, ledger: Ledger
) -> None:
    for number in range(3):
        house.photo(f"{number}.png")
    house.deadly.touch()
    ends = [ledger.open_process(jobs=3, max_attempts=2).wait(60) for _ in range(3)]

    assert ends == [-signal.SIGKILL, -signal.SIGKILL, 0]
    assert ledger.count("delivered") == Counter({"update:1": 1, "update:2": 1})
    assert ["failed", "update:0", "crashed_too_often"] in ledger.lines()
