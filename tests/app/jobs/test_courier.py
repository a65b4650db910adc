import asyncio
import threading

import pytest

from app.jobs.courier import MAX_REFUSALS
from app.jobs.job import Failure, JobState
from app.jobs.ports import RecipientGone, RetryLater
from models.interface import OutOfMemoryError
from tests.app.jobs.engines import Breaker, Inverter
from tests.app.jobs.house import House
from tests.app.jobs.listeners import Listener


async def test_delivery_is_tried_until_it_works(house: House, listener: Listener) -> None:
    listener.answers.extend([RetryLater(0.0)] * 3)
    async with house.studio(listener) as studio:
        (job,) = await studio.submit(house.request())
        await listener.until_heard("delivered", job)

    assert not listener.answers
    assert listener.of("delivered") == [job.id]


async def test_order_within_a_chat_holds_when_a_delivery_has_to_wait(
    house: House, listener: Listener
) -> None:
    listener.answers.append(RetryLater(0.1))
    async with house.studio(listener) as studio:
        first, second = await studio.submit(house.request(user_id=1), house.request(user_id=1))
        await listener.until_heard("delivered", second)

    assert listener.of("delivered") == [first.id, second.id]


async def test_slow_chat_holds_up_neither_the_card_nor_another_chat(
    house: House, listener: Listener
) -> None:
    listener.answers.append(RetryLater(3600.0))
    async with house.studio(listener) as studio:
        (stuck,) = await studio.submit(house.request(user_id=1))
        await listener.delivering.wait()
        behind, other = await studio.submit(house.request(user_id=1), house.request(user_id=2))
        await listener.until_heard("delivered", other)
        assert listener.of("started") == [stuck.id, behind.id, other.id]
        kept = await studio.get(stuck.id)
    assert kept is not None
    assert kept.state is JobState.PAINTED
    assert listener.of("delivered") == [other.id]

    engine = Inverter()
    async with house.studio(listener, engine):
        await listener.until_heard("delivered", stuck, behind)
    assert engine.painted == []


async def test_drain_waits_for_the_delivery_in_flight(house: House, listener: Listener) -> None:
    listener.hold = asyncio.Event()
    async with house.studio(listener) as studio:
        (job,) = await studio.submit(house.request())
        await listener.delivering.wait()
        drained = asyncio.create_task(studio.drain(5))
        await asyncio.sleep(0.05)
        assert not drained.done()
        listener.hold.set()
        await drained
        done = await studio.get(job.id)

    assert done is not None
    assert done.state is JobState.DELIVERED


async def test_delivery_that_never_ends_does_not_hold_the_process(
    house: House, listener: Listener
) -> None:
    listener.hold = asyncio.Event()
    async with house.studio(listener) as studio:
        (job,) = await studio.submit(house.request())
        await listener.delivering.wait()
        await studio.drain(0.05)
        kept = await studio.get(job.id)

    assert kept is not None
    assert kept.state is JobState.PAINTED


async def test_delivery_that_is_put_off_meanwhile_does_not_hold_the_process(
    house: House, listener: Listener
) -> None:
    listener.hold = asyncio.Event()
    listener.answers.append(RetryLater(3600.0))
    async with house.studio(listener) as studio:
        await studio.submit(house.request())
        await listener.delivering.wait()
        drained = asyncio.create_task(studio.drain(3600))
        await asyncio.sleep(0.05)
        listener.hold.set()
        async with asyncio.timeout(10):
            await drained


async def test_who_has_gone_costs_the_card_nothing_more(house: House, listener: Listener) -> None:
    gate = threading.Semaphore(1)
    listener.answers.append(RecipientGone())
    async with house.studio(listener, Inverter(steps=1, gate=gate)) as studio:
        mine = await studio.submit(*(house.request(user_id=1) for _ in range(3)))
        (other,) = await studio.submit(house.request(user_id=2))
        await listener.until_heard("cancelled", *mine)
        # One for the other's picture; the cancelled one may have been waiting at the gate as well.
        gate.release(2)
        await listener.until_heard("delivered", other)
        states = [job.state for job in [await studio.get(each.id) for each in mine] if job]

    assert states == [JobState.CANCELLED] * 3
    assert listener.of("delivered") == [other.id]
    assert [path.stem for path in house.folders.results.iterdir()] == [str(other.id)]


async def test_reporter_can_say_in_mid_job_that_the_chat_has_gone(
    house: House, listener: Listener
) -> None:
    engine = Inverter(steps=300, gate=threading.Semaphore(1))
    async with house.studio(listener, engine) as studio:
        running, elsewhere = await studio.submit(
            house.request(user_id=1, chat_id=-5), house.request(user_id=1)
        )
        await listener.until_heard("stepped", running)
        await studio.drop_chat(-5)
        await listener.until_heard("started", elsewhere)

    assert listener.of("cancelled") == [running.id]


async def test_bad_news_are_told_later_if_not_now(house: House, listener: Listener) -> None:
    bad = house.photo()
    listener.answers.append(RetryLater(3600.0))
    breaker = Breaker(OutOfMemoryError("Too large."), {bad})
    async with house.studio(listener, breaker) as studio:
        (job,) = await studio.submit(house.request(content=bad))
        await listener.delivering.wait()
    assert listener.failures == {}

    async with house.studio(listener):
        await listener.until_heard("failed", job)
    async with house.studio(listener):
        await asyncio.sleep(0.05)
    assert listener.of("failed") == [job.id]
    assert listener.failures == {job.id: Failure.OUT_OF_MEMORY}


async def test_bad_news_for_nobody_are_written_off(house: House, listener: Listener) -> None:
    bad = house.photo()
    listener.answers.append(RecipientGone())
    async with house.studio(listener, Breaker(ZeroDivisionError(), {bad})) as studio:
        (job,) = await studio.submit(house.request(content=bad))
        await listener.until_heard("cancelled", job)
        done = await studio.get(job.id)

    assert done is not None
    assert (done.state, done.told) == (JobState.FAILED, True)


async def test_delivery_that_breaks_again_and_again_is_given_up(
    house: House, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    listener.answers.extend([TypeError("nobody foresaw this")] * MAX_REFUSALS)
    async with house.studio(listener) as studio:
        (job,) = await studio.submit(house.request())
        await listener.until_heard("failed", job)

    assert listener.failures == {job.id: Failure.INTERNAL}
    assert "nobody foresaw this" in caplog.text


async def test_album_comes_back_as_one_in_the_order_of_the_photos(
    house: House, listener: Listener
) -> None:
    async with house.studio(listener) as studio:
        album = await studio.submit(*(house.request(album="a") for _ in range(3)))
        await listener.until_heard("delivered", *album)

    assert listener.albums == [[job.id for job in album]]


async def test_album_goes_without_the_failed_and_the_cancelled(
    house: House, listener: Listener
) -> None:
    bad = house.photo()
    gate = threading.Semaphore(0)
    breaker = Breaker(ZeroDivisionError(), {bad}, Inverter(steps=1, gate=gate))
    async with house.studio(listener, breaker) as studio:
        first, second, third, last = await studio.submit(
            house.request(album="a"),
            house.request(album="a", content=bad),
            house.request(album="a"),
            house.request(album="a"),
        )
        gate.release(2)
        await listener.until_heard("started", last)
        assert listener.of("delivered") == []
        assert await studio.cancel(last.id, user_id=1)
        await listener.until_heard("delivered", first, third)

    assert listener.albums == [[first.id, third.id]]
    assert listener.failures == {second.id: Failure.INTERNAL}


async def test_album_of_which_one_is_left_comes_as_a_single_picture(
    house: House, listener: Listener
) -> None:
    bad = house.photo()
    async with house.studio(listener, Breaker(ZeroDivisionError(), {bad})) as studio:
        _, fine = await studio.submit(
            house.request(album="a", content=bad), house.request(album="a")
        )
        await listener.until_heard("delivered", fine)

    assert listener.albums == []


async def test_album_is_delivered_once_though_the_process_ended_in_between(
    house: House, listener: Listener
) -> None:
    gate = threading.Semaphore(1)
    async with house.studio(listener, Inverter(steps=1, gate=gate)) as studio:
        first, second = await studio.submit(house.request(album="a"), house.request(album="a"))
        await listener.until_heard("started", second)
    assert listener.of("delivered") == []

    async with house.studio(listener):
        await listener.until_heard("delivered", first, second)
    async with house.studio(listener):
        await asyncio.sleep(0.05)
    assert listener.albums == [[first.id, second.id]]


async def test_picture_that_waits_for_its_delivery_can_still_be_cancelled(
    house: House, listener: Listener
) -> None:
    listener.answers.append(RetryLater(3600.0))
    async with house.studio(listener) as studio:
        (job,) = await studio.submit(house.request())
        await listener.delivering.wait()
        await asyncio.sleep(0.05)
        assert await studio.cancel(job.id, user_id=1)
        assert list(house.folders.results.iterdir()) == []
    async with house.studio(listener):
        await asyncio.sleep(0.05)

    assert listener.of("delivered") == []


async def test_picture_on_its_way_can_not_be_cancelled(house: House, listener: Listener) -> None:
    listener.hold = asyncio.Event()
    async with house.studio(listener) as studio:
        (job,) = await studio.submit(house.request())
        await listener.delivering.wait()
        assert not await studio.cancel(job.id, user_id=1)
        listener.hold.set()
        await listener.until_heard("delivered", job)
