import asyncio
import threading

import pytest

from app.jobs.deliveries import MAX_REFUSALS
from app.jobs.interface import RecipientGone, RetryLater
from app.jobs.model import Failure, JobState
from models.interface import OutOfMemoryError
from tests.app.jobs.data_folder import DataFolder
from tests.app.jobs.recording_reporter import RecordingReporter
from tests.app.jobs.stub_stylizers import Breaker, Inverter
from tests.patience import PATIENCE_S


async def test_delivery_is_tried_until_it_works(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    reporter.answers.extend([RetryLater(0.0)] * 3)
    async with data_folder.job_service(reporter) as job_service:
        (job,) = await job_service.submit(data_folder.request())
        await reporter.until_heard("delivered", job)

    assert not reporter.answers
    assert reporter.of("delivered") == [job.id]


async def test_what_one_person_ordered_comes_in_order(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    reporter.hold = asyncio.Event()
    async with data_folder.job_service(reporter) as job_service:
        jobs = await job_service.submit(*(data_folder.request() for _ in range(4)))
        await reporter.until_heard("started", jobs[-1])
        reporter.hold.set()
        await reporter.until_heard("delivered", *jobs)

    assert reporter.of("delivered") == [job.id for job in jobs]


async def test_delivery_that_has_to_wait_holds_up_no_other(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    reporter.answers.append(RetryLater(3600.0))
    async with data_folder.job_service(reporter) as job_service:
        (stuck,) = await job_service.submit(data_folder.request(user_id=1, chat_id=-5))
        await reporter.delivering.wait()
        others = await job_service.submit(
            data_folder.request(user_id=2, chat_id=-5),
            data_folder.request(user_id=1, chat_id=-5),
            data_folder.request(user_id=3),
        )
        await reporter.until_heard("delivered", *others)
        kept = await job_service.get(stuck.id)
    assert kept is not None
    assert kept.state is JobState.PAINTED

    engine = Inverter()
    async with data_folder.job_service(reporter, engine):
        await reporter.until_heard("delivered", stuck)
    assert engine.painted == []
    assert sorted(reporter.of("delivered")) == sorted(job.id for job in [stuck, *others])


async def test_delivery_that_takes_long_holds_up_no_other_person(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    reporter.hold = asyncio.Event()
    async with data_folder.job_service(reporter) as job_service:
        (slow,) = await job_service.submit(data_folder.request(user_id=1, chat_id=-5))
        await reporter.delivering.wait()
        held, reporter.hold = reporter.hold, None
        (other,) = await job_service.submit(data_folder.request(user_id=2, chat_id=-5))
        await reporter.until_heard("delivered", other)
        assert reporter.of("delivered") == [other.id]
        held.set()
        await reporter.until_heard("delivered", slow)


async def test_album_that_has_to_wait_stays_one_and_holds_up_no_other(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    reporter.answers.append(RetryLater(0.2))
    async with data_folder.job_service(reporter) as job_service:
        album = await job_service.submit(*(data_folder.request(album="a") for _ in range(3)))
        await reporter.delivering.wait()
        (single,) = await job_service.submit(data_folder.request())
        await reporter.until_heard("delivered", single, *album)

    assert reporter.albums == [[job.id for job in album]]
    assert reporter.of("delivered") == [single.id, *(job.id for job in album)]


async def test_drain_waits_for_the_delivery_in_flight(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    reporter.hold = asyncio.Event()
    async with data_folder.job_service(reporter) as job_service:
        (job,) = await job_service.submit(data_folder.request())
        await reporter.delivering.wait()
        drained = asyncio.create_task(job_service.drain(5))
        await asyncio.sleep(0.05)
        assert not drained.done()
        reporter.hold.set()
        await drained
        done = await job_service.get(job.id)

    assert done is not None
    assert done.state is JobState.DELIVERED


async def test_delivery_that_never_ends_does_not_hold_the_process(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    reporter.hold = asyncio.Event()
    async with data_folder.job_service(reporter) as job_service:
        (job,) = await job_service.submit(data_folder.request())
        await reporter.delivering.wait()
        await job_service.drain(0.05)
        kept = await job_service.get(job.id)

    assert kept is not None
    assert kept.state is JobState.PAINTED


async def test_delivery_that_is_put_off_meanwhile_does_not_hold_the_process(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    reporter.hold = asyncio.Event()
    reporter.answers.append(RetryLater(3600.0))
    async with data_folder.job_service(reporter) as job_service:
        await job_service.submit(data_folder.request())
        await reporter.delivering.wait()
        drained = asyncio.create_task(job_service.drain(3600))
        await asyncio.sleep(0.05)
        reporter.hold.set()
        async with asyncio.timeout(PATIENCE_S):
            await drained


async def test_who_has_gone_costs_the_gpu_nothing_more(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    gate = threading.Semaphore(1)
    reporter.answers.append(RecipientGone())
    async with data_folder.job_service(reporter, Inverter(steps=1, gate=gate)) as job_service:
        mine = await job_service.submit(*(data_folder.request(user_id=1) for _ in range(3)))
        (other,) = await job_service.submit(data_folder.request(user_id=2))
        await reporter.until_heard("cancelled", *mine)
        # One for the other's picture; the cancelled one may have been waiting at the gate as well.
        gate.release(2)
        await reporter.until_heard("delivered", other)
        states = [job.state for job in [await job_service.get(each.id) for each in mine] if job]

    assert states == [JobState.CANCELLED] * 3
    assert reporter.of("delivered") == [other.id]
    assert [path.stem for path in data_folder.folders.results.iterdir()] == [str(other.id)]


async def test_reporter_can_say_in_mid_job_that_the_chat_has_gone(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    engine = Inverter(steps=300, gate=threading.Semaphore(1))
    async with data_folder.job_service(reporter, engine) as job_service:
        running, elsewhere = await job_service.submit(
            data_folder.request(user_id=1, chat_id=-5), data_folder.request(user_id=1)
        )
        await reporter.until_heard("stepped", running)
        await job_service.drop_chat(-5)
        await reporter.until_heard("started", elsewhere)

    assert reporter.of("cancelled") == [running.id]


async def test_bad_news_are_told_later_if_not_now(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    bad = data_folder.photo()
    reporter.answers.append(RetryLater(3600.0))
    breaker = Breaker(OutOfMemoryError("Too large."), {bad})
    async with data_folder.job_service(reporter, breaker) as job_service:
        (job,) = await job_service.submit(data_folder.request(content=bad))
        await reporter.delivering.wait()
    assert reporter.failures == {}

    async with data_folder.job_service(reporter):
        await reporter.until_heard("failed", job)
    async with data_folder.job_service(reporter):
        await asyncio.sleep(0.05)
    assert reporter.of("failed") == [job.id]
    assert reporter.failures == {job.id: Failure.OUT_OF_MEMORY}


async def test_bad_news_for_nobody_are_written_off(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    bad = data_folder.photo()
    reporter.answers.append(RecipientGone())
    async with data_folder.job_service(
        reporter, Breaker(ZeroDivisionError(), {bad})
    ) as job_service:
        (job,) = await job_service.submit(data_folder.request(content=bad))
        await reporter.until_heard("cancelled", job)
        done = await job_service.get(job.id)

    assert done is not None
    assert (done.state, done.told) == (JobState.FAILED, True)


async def test_delivery_that_breaks_again_and_again_is_given_up(
    data_folder: DataFolder, reporter: RecordingReporter, caplog: pytest.LogCaptureFixture
) -> None:
    reporter.answers.extend([TypeError("nobody foresaw this")] * MAX_REFUSALS)
    async with data_folder.job_service(reporter) as job_service:
        (job,) = await job_service.submit(data_folder.request())
        await reporter.until_heard("failed", job)

    assert reporter.failures == {job.id: Failure.INTERNAL}
    assert "nobody foresaw this" in caplog.text


async def test_album_comes_back_as_one_in_the_order_of_the_photos(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    async with data_folder.job_service(reporter) as job_service:
        album = await job_service.submit(*(data_folder.request(album="a") for _ in range(3)))
        await reporter.until_heard("delivered", *album)

    assert reporter.albums == [[job.id for job in album]]


async def test_album_goes_without_the_failed_and_the_cancelled(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    bad = data_folder.photo()
    gate = threading.Semaphore(0)
    breaker = Breaker(ZeroDivisionError(), {bad}, Inverter(steps=1, gate=gate))
    async with data_folder.job_service(reporter, breaker) as job_service:
        first, second, third, last = await job_service.submit(
            data_folder.request(album="a"),
            data_folder.request(album="a", content=bad),
            data_folder.request(album="a"),
            data_folder.request(album="a"),
        )
        gate.release(2)
        await reporter.until_heard("started", last)
        assert reporter.of("delivered") == []
        assert await job_service.cancel(last.id, user_id=1)
        await reporter.until_heard("delivered", first, third)

    assert reporter.albums == [[first.id, third.id]]
    assert reporter.failures == {second.id: Failure.INTERNAL}


async def test_album_of_which_one_is_left_comes_as_a_single_picture(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    bad = data_folder.photo()
    async with data_folder.job_service(
        reporter, Breaker(ZeroDivisionError(), {bad})
    ) as job_service:
        _, fine = await job_service.submit(
            data_folder.request(album="a", content=bad), data_folder.request(album="a")
        )
        await reporter.until_heard("delivered", fine)

    assert reporter.albums == []


async def test_album_is_delivered_once_though_the_process_ended_in_between(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    gate = threading.Semaphore(1)
    async with data_folder.job_service(reporter, Inverter(steps=1, gate=gate)) as job_service:
        first, second = await job_service.submit(
            data_folder.request(album="a"), data_folder.request(album="a")
        )
        await reporter.until_heard("started", second)
    assert reporter.of("delivered") == []

    async with data_folder.job_service(reporter):
        await reporter.until_heard("delivered", first, second)
    async with data_folder.job_service(reporter):
        await asyncio.sleep(0.05)
    assert reporter.albums == [[first.id, second.id]]


async def test_picture_that_waits_for_its_delivery_can_still_be_cancelled(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    reporter.answers.append(RetryLater(3600.0))
    async with data_folder.job_service(reporter) as job_service:
        (job,) = await job_service.submit(data_folder.request())
        await reporter.delivering.wait()
        async with asyncio.timeout(PATIENCE_S):
            # Until it waits; nothing says when.
            while not await job_service.cancel(job.id, user_id=1):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert list(data_folder.folders.results.iterdir()) == []
    async with data_folder.job_service(reporter):
        await asyncio.sleep(0.05)

    assert reporter.of("delivered") == []


async def test_picture_on_its_way_can_not_be_cancelled(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    reporter.hold = asyncio.Event()
    async with data_folder.job_service(reporter) as job_service:
        (job,) = await job_service.submit(data_folder.request())
        await reporter.delivering.wait()
        assert not await job_service.cancel(job.id, user_id=1)
        reporter.hold.set()
        await reporter.until_heard("delivered", job)
