"""Several workers on one queue: side by side, and one that is lost or hangs costs nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from app.jobs.interface import WorkerState
from app.jobs.model import Delivery, Failure, Job, JobState
from app.jobs.running.clips import Engine
from app.jobs.running.endings import DeviceLost, PainterHung
from app.jobs.service import LocalJobService
from models.interface import DeviceAwayError, DeviceLostError, KilledForMemoryError, Quality
from tests.app.bot.reporter_harness import eventually
from tests.app.jobs.data_folder import DataFolder
from tests.app.jobs.job_limits import make_limits
from tests.app.jobs.manual_clock import ManualClock
from tests.app.jobs.recording_reporter import RecordingReporter
from tests.app.jobs.stub_stylizers import Breaker, Inverter, Sleeper


@pytest.fixture
def sleeper() -> Iterator[Sleeper]:
    """A painter that hangs until the test is over."""
    sleeper = Sleeper()
    yield sleeper
    sleeper.release.set()


def devices(*stylizers: Engine) -> dict[str, Engine]:
    return {f"cuda:{number}": stylizer for number, stylizer in enumerate(stylizers)}


async def states(job_service: LocalJobService) -> list[tuple[str, WorkerState, int]]:
    stats = await job_service.stats()
    return [(worker.device, worker.state, worker.painted) for worker in stats.workers]


async def test_a_person_s_two_jobs_are_painted_side_by_side_while_nobody_else_waits(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    gates = [threading.Semaphore(0), threading.Semaphore(0)]
    two = devices(*(Inverter(steps=1, gate=gate) for gate in gates))
    async with data_folder.job_service(reporter, two) as job_service:
        first, second, third = await job_service.submit(*(data_folder.request() for _ in range(3)))
        await reporter.until_heard("started", first, second)
        (others,) = await job_service.submit(data_folder.request(user_id=2))
        assert reporter.places[-2:] == [(others.id, 1), (third.id, 2)]
        assert await states(job_service) == [
            ("cuda:0", WorkerState.PAINTING, 0),
            ("cuda:1", WorkerState.PAINTING, 0),
        ]
        gates[0].release()
        await reporter.until_heard("started", others)
        assert third.id not in reporter.of("started")
        for gate in gates:
            gate.release(3)
        await reporter.until_heard("delivered", first, second, third, others)
        assert [state for _, state, _ in await states(job_service)] == [WorkerState.IDLE] * 2
        assert sum(painted for _, _, painted in await states(job_service)) == 4


async def test_estimates_know_how_many_workers_there_are(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    ends_s = {}
    for count in (1, 2):
        engines = [Inverter(gate=threading.Semaphore(0)) for _ in range(count)]
        async with data_folder.job_service(reporter, devices(*engines)) as job_service:
            user_id = count
            jobs = await job_service.submit(
                *(data_folder.request(user_id, quality=Quality.DRAFT) for _ in range(6))
            )
            await reporter.until_heard("started", *jobs[:count])
            ends_s[count] = [view.seconds_left for view in await job_service.views(user_id)]
            for job in jobs:
                await job_service.cancel(job.id, user_id)
    # 2 s each, as long as nothing is measured.
    assert ends_s[1] == pytest.approx([2, 4, 6, 8, 10, 12], abs=0.5)
    assert ends_s[2] == pytest.approx([2, 2, 4, 4, 6, 6], abs=0.5)


async def test_stop_and_cancel_reach_the_worker_that_has_the_job(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    two = devices(*(Inverter(steps=300, gate=threading.Semaphore(2)) for _ in range(2)))
    async with data_folder.job_service(reporter, two) as job_service:
        one, other = await job_service.submit(data_folder.request(1), data_folder.request(2))
        await reporter.until_heard("stepped", one, other)
        assert not await job_service.stop(other.id, user_id=1)
        assert await job_service.stop(other.id, user_id=2)
        await reporter.until_heard("delivered", other)
        assert await job_service.cancel(one.id, user_id=1)
        await reporter.until_heard("cancelled", one)
    assert reporter.of("delivered") == [other.id]


async def test_forget_reaches_all_workers(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    two = devices(*(Inverter(steps=300, gate=threading.Semaphore(1)) for _ in range(2)))
    async with data_folder.job_service(reporter, two) as job_service:
        jobs = await job_service.submit(data_folder.request(), data_folder.request())
        await reporter.until_heard("stepped", *jobs)
        await job_service.forget(1)
        assert [await job_service.get(job.id) for job in jobs] == [None, None]
        assert not list(data_folder.folders.originals.iterdir())
    assert not list(data_folder.folders.results.iterdir())


async def test_a_worker_that_is_lost_in_mid_job_loses_nothing(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    photos = [data_folder.photo() for _ in range(6)]
    two = devices(Breaker(DeviceLostError("an assert"), set(photos)), Inverter())
    async with data_folder.job_service(reporter, two) as job_service:
        jobs = await job_service.submit(
            *(data_folder.request(n % 3, content=photo) for n, photo in enumerate(photos))
        )
        await reporter.until_heard("delivered", *jobs)
        (lost,) = reporter.of("worker ended")
        done = [await job_service.get(job.id) for job in jobs]
        assert await states(job_service) == [
            ("cuda:0", WorkerState.LOST, 0),
            ("cuda:1", WorkerState.IDLE, 6),
        ]

    assert sorted(reporter.of("delivered")) == [job.id for job in jobs]
    assert reporter.ended_workers == [("cuda:0", WorkerState.LOST, 1)]
    assert {job.id: job.attempts for job in done if job} == {
        job.id: 2 if job.id == lost else 1 for job in jobs
    }
    # It had its turn: it is painted before those that wait.
    begun = reporter.of("started")
    assert begun.index(lost, begun.index(lost) + 1) <= 3


async def test_an_engine_that_joins_paints_and_takes_the_place_of_a_lost_one(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    bad = data_folder.photo()
    gate = threading.Semaphore(0)
    two = devices(Breaker(DeviceLostError("an assert"), {bad}), Inverter(steps=1, gate=gate))
    async with data_folder.job_service(reporter, two) as job_service:
        working = asyncio.create_task(job_service.ended())
        (lost,) = await job_service.submit(data_folder.request(content=bad))
        (other,) = await job_service.submit(data_folder.request(2))
        await reporter.until_heard("worker ended", lost)
        job_service.add_engine("cuda:0", Inverter())
        await reporter.until_heard("delivered", lost)
        assert await states(job_service) == [
            ("cuda:1", WorkerState.PAINTING, 0),
            ("cuda:0", WorkerState.IDLE, 1),
        ]
        gate.release()
        await reporter.until_heard("delivered", other)
        assert not working.done()
        await job_service.drain(5)
        await working


async def test_where_those_that_joined_are_the_last_their_end_is_heard_of(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    photos = [data_folder.photo() for _ in range(2)]
    breaker = Breaker(DeviceLostError("an assert"), set(photos))
    async with data_folder.job_service(reporter, devices(breaker)) as job_service:
        working = asyncio.create_task(job_service.ended())
        await asyncio.sleep(0)
        job_service.add_engine("cuda:1", breaker)
        await job_service.submit(*(data_folder.request(content=photo) for photo in photos))
        with pytest.raises(DeviceLost):
            await working
    assert len(reporter.ended_workers) == 1


async def test_where_engines_return_the_last_one_is_waited_for(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    bad = data_folder.photo()
    async with data_folder.job_service(reporter, {}) as job_service:
        working = asyncio.create_task(job_service.ended())
        (job,) = await job_service.submit(data_folder.request(content=bad))
        assert not reporter.pauses, "whether any come is not known yet"
        job_service.tell_of_absence()
        job_service.tell_of_absence()
        assert job_service.is_paused
        job_service.add_engine("a/cuda:0", Breaker(DeviceLostError("an assert"), {bad}))
        await reporter.until_heard("worker ended", job)
        job_service.tell_of_absence()
        assert [view.place for view in await job_service.views(1)] == [1]
        job_service.add_engine("b/cuda:0", Inverter())
        await reporter.until_heard("delivered", job)
        done = await job_service.get(job.id)
        assert not working.done()
        assert await job_service.drain(5)
        await working
    assert done is not None
    assert done.attempts == 2
    assert reporter.ended_workers == [("a/cuda:0", WorkerState.LOST, 0)]
    told = ["paused", "resumed on a/cuda:0", "paused", "resumed on b/cuda:0"]
    assert reporter.pauses == told


async def test_jobs_are_not_blamed_for_machines_that_went_away(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    photo = data_folder.photo()
    away = DeviceAwayError("the cluster is gone")
    async with data_folder.job_service(reporter, {}, limits=make_limits(max_attempts=1)) as service:
        (job,) = await service.submit(data_folder.request(content=photo))
        for number in range(3):
            service.add_engine(f"cuda:{number}", Breaker(away, {photo}))
            await reporter.until(lambda: not any(w.state.is_at_work for w in service.workers))
        service.add_engine("cuda:3", Inverter())
        await reporter.until_heard("delivered", job)
        done = await service.get(job.id)
    assert done is not None
    assert done.attempts == 1
    assert not reporter.ended_workers, "the admins hear of the cluster, not of each device"


async def test_an_idle_worker_whose_engine_is_gone_takes_no_further_job(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    async with data_folder.job_service(reporter, {}) as job_service:
        for name in ("a", "b"):
            job_service.add_engine(name, Inverter())
        await asyncio.sleep(0)
        job_service.remove_engine("a")
        jobs = await job_service.submit(*(data_folder.request() for _ in range(3)))
        await reporter.until_heard("delivered", *jobs)
        assert await states(job_service) == [
            ("a", WorkerState.LOST, 0),
            ("b", WorkerState.IDLE, 3),
        ]


async def test_a_worker_that_hangs_ends_alone_and_its_job_is_painted_by_another(
    data_folder: DataFolder, reporter: RecordingReporter, sleeper: Sleeper
) -> None:
    limits, clock = make_limits(watchdog_s=0.05), ManualClock()
    two = devices(sleeper, Inverter())
    async with data_folder.job_service(reporter, two, limits=limits, clock=clock) as job_service:
        jobs = await job_service.submit(data_folder.request(1), data_folder.request(2))
        await reporter.until_heard("delivered", jobs[1])
        clock.move(0.06)
        await reporter.until_heard("delivered", *jobs)
        assert reporter.ended_workers == [("cuda:0", WorkerState.HUNG, 1)]
        # What comes of that thread later is nobody's any more.
        sleeper.release.set()
        (later,) = await job_service.submit(data_folder.request(1))
        await reporter.until_heard("delivered", later)
        assert not await job_service.drain(1), "its thread is not known to be free"
        await job_service.ended()
    assert len(reporter.of("delivered")) == 3


async def test_a_job_that_was_thrown_away_before_its_worker_ended_is_not_painted_again(
    data_folder: DataFolder, reporter: RecordingReporter, sleeper: Sleeper
) -> None:
    limits, clock = make_limits(watchdog_s=0.05), ManualClock()
    two = devices(sleeper, Inverter())
    async with data_folder.job_service(reporter, two, limits=limits, clock=clock) as job_service:
        hanging, fine = await job_service.submit(data_folder.request(1), data_folder.request(2))
        await reporter.until_heard("started", hanging)
        assert await job_service.cancel(hanging.id, user_id=1)
        await reporter.until_heard("delivered", fine)
        clock.move(0.06)
        await reporter.until(lambda: bool(reporter.ended_workers))
        gone = await job_service.get(hanging.id)
    assert gone is not None
    assert gone.state is JobState.CANCELLED
    assert reporter.of("started").count(hanging.id) == 1


@pytest.mark.parametrize(
    ("error", "exit_code"), [(DeviceLost, 70), (PainterHung, 71)], ids=["lost", "hung"]
)
async def test_with_the_last_worker_the_process_ends_and_the_next_one_paints_all(
    data_folder: DataFolder,
    reporter: RecordingReporter,
    sleeper: Sleeper,
    error: type[DeviceLost | PainterHung],
    exit_code: int,
) -> None:
    photos = [data_folder.photo() for _ in range(3)]
    last: Engine = (
        Breaker(DeviceLostError("an assert"), set(photos)) if error is DeviceLost else sleeper
    )
    limits, clock = make_limits(watchdog_s=0.05, max_attempts=5), ManualClock()
    two = devices(Breaker(DeviceLostError("an assert"), set(photos)), last)
    async with data_folder.job_service(reporter, two, limits=limits, clock=clock) as job_service:
        jobs = await job_service.submit(
            *(data_folder.request(n, content=photo) for n, photo in enumerate(photos))
        )
        if last is sleeper:
            await eventually(sleeper.taken.is_set)
            await reporter.until(lambda: bool(reporter.ended_workers))
            clock.move(0.06)
        with pytest.raises(error) as reason:
            await job_service.ended()
        assert reason.value.exit_code == exit_code
        assert await job_service.drain(1) is (error is DeviceLost)
    assert len(reporter.ended_workers) == 1

    async with data_folder.job_service(reporter):
        await reporter.until_heard("delivered", *jobs)
    assert len(reporter.of("delivered")) == 3


async def test_a_job_that_takes_workers_down_is_set_aside_before_it_has_them_all(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    bad = data_folder.photo()
    three = devices(*(Breaker(DeviceLostError("an assert"), {bad}) for _ in range(3)))
    limits = make_limits(max_attempts=2)
    async with data_folder.job_service(reporter, three, limits=limits) as job_service:
        (culprit,) = await job_service.submit(data_folder.request(content=bad))
        await reporter.until_heard("failed", culprit)
        innocent = await job_service.submit(data_folder.request(), data_folder.request())
        await reporter.until_heard("delivered", *innocent)
        aside = await job_service.get(culprit.id)
    assert aside is not None
    assert (aside.state, aside.attempts) == (JobState.SET_ASIDE, 2)
    assert reporter.failures == {culprit.id: Failure.CRASHED_TOO_OFTEN}
    assert [left for _, _, left in reporter.ended_workers] == [2, 1]


async def test_a_job_that_takes_all_memory_of_each_machine_ends_with_that_sentence(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    bad = data_folder.photo()
    killed = KilledForMemoryError("the memory monitor")
    three = devices(*(Breaker(killed, {bad}) for _ in range(3)))
    limits = make_limits(max_attempts=2)
    async with data_folder.job_service(reporter, three, limits=limits) as job_service:
        (culprit,) = await job_service.submit(data_folder.request(content=bad))
        await reporter.until_heard("failed", culprit)
        (innocent,) = await job_service.submit(data_folder.request())
        await reporter.until_heard("delivered", innocent)
    assert reporter.failures == {culprit.id: Failure.OUT_OF_MEMORY}
    assert reporter.of("started").count(culprit.id) == 2


async def test_two_processor_workers_paint_what_one_paints_bit_for_bit(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    import torch

    from models.engine.loading import load_stylizers

    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        two = load_stylizers(encoder="slim", device="cpu", cpu_workers=2)
        assert torch.get_num_threads() == 1
        assert list(two) == ["cpu:0", "cpu:1"]
        together = await painted(data_folder, reporter, two, user_ids=(1, 2, 3, 4))
        alone = await painted(data_folder, reporter, {"cpu": two["cpu:1"]}, user_ids=(1, 2, 3, 4))
    finally:
        torch.set_num_threads(threads)
    assert together == alone


async def painted(
    data_folder: DataFolder,
    reporter: RecordingReporter,
    engines: Mapping[str, Engine],
    *,
    user_ids: tuple[int, ...],
) -> list[bytes]:
    """The files that come of the same four photos, lossless."""
    sample = Path(__file__).parents[4] / "styles" / "samples" / "face.jpg"
    kinds = [(Quality.DRAFT, 128), (Quality.STANDARD, 64)] * 2
    async with data_folder.job_service(reporter, engines) as job_service:
        jobs: list[Job] = await job_service.submit(
            *(
                data_folder.request(
                    user_id, content=sample, quality=quality, size_px=px, delivery=Delivery.FILE
                )
                for user_id, (quality, px) in zip(user_ids, kinds, strict=True)
            )
        )
        await reporter.until_heard("delivered", *jobs)
        if len(engines) > 1:
            workers = (await job_service.stats()).workers
            assert all(worker.painted for worker in workers)
        done = [await job_service.get(job.id) for job in jobs]
    return [job.result.read_bytes() for job in done if job is not None and job.result is not None]
