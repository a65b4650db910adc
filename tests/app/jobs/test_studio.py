import asyncio
import gc
import logging
import math
import random
import threading

import pytest
from PIL import Image

from app.jobs.job import Delivery, Failure, Job, JobState, StylePick
from app.jobs.limits import StudioLimits
from app.jobs.ports import ClosingDown, QueueFull, TooManyJobs
from models.interface import Note, OutOfMemoryError, Quality
from models.pictures import PictureError, PictureProblem
from tests.app.jobs.engines import Breaker, Inverter
from tests.app.jobs.house import House
from tests.app.jobs.listeners import Listener


async def test_job_is_painted_step_by_step_and_delivered(house: House, listener: Listener) -> None:
    async with house.studio(listener, Inverter(steps=4)) as studio:
        (job,) = await studio.submit(house.request())
        await listener.until_heard("delivered", job)
        done = await studio.get(job.id)

    assert listener.places == [(job.id, 1)]
    assert listener.steps[job.id] == [1, 2, 3, 4]
    assert listener.pictures[job.id] == (48, 36)
    assert done is not None
    assert (done.state, done.attempts, done.failure) == (JobState.DELIVERED, 1, None)
    assert done.seconds is not None


async def test_results_are_jpeg_for_the_eye_and_png_for_the_printer(
    house: House, listener: Listener
) -> None:
    async with house.studio(listener) as studio:
        jobs = await studio.submit(
            house.request(delivery=Delivery.PHOTO), house.request(delivery=Delivery.FILE)
        )
        await listener.until_heard("delivered", *jobs)
        done = [await studio.get(job.id) for job in jobs]

    formats = []
    for job in done:
        assert job is not None
        assert job.result is not None
        with Image.open(job.result) as picture:
            formats.append(picture.format)
    assert formats == ["JPEG", "PNG"]


async def test_same_update_makes_one_job(house: House, listener: Listener) -> None:
    request = house.request()
    async with house.studio(listener) as studio:
        (first,) = await studio.submit(request)
        (second,) = await studio.submit(request)
        both = await studio.submit(request, request)
        await listener.until_heard("delivered", first)
    async with house.studio(listener) as studio:
        (after_restart,) = await studio.submit(request)

    assert {job.id for job in [first, second, *both, after_restart]} == {first.id}
    assert listener.of("delivered") == [first.id]


async def test_users_take_turns_and_places_are_true(house: House, listener: Listener) -> None:
    gate = threading.Semaphore(0)
    engine = Inverter(steps=1, gate=gate)
    async with house.studio(listener, engine) as studio:
        (running,) = await studio.submit(house.request(user_id=9))
        await listener.until_heard("started", running)
        a1, a2, b1 = await studio.submit(
            house.request(user_id=1), house.request(user_id=1), house.request(user_id=2)
        )
        assert [studio.place(job.id) for job in (a1, b1, a2, running)] == [1, 2, 3, None]
        listener.places.clear()
        gate.release()
        await listener.until_heard("started", a1)
        assert listener.places == [(b1.id, 1), (a2.id, 2)]
        gate.release(3)
        await listener.until_heard("delivered", a2)

    assert listener.of("started") == [running.id, a1.id, b1.id, a2.id]


async def test_queue_is_bounded_per_person_and_in_all(house: House, listener: Listener) -> None:
    gate = threading.Semaphore(0)
    limits = StudioLimits(max_jobs=3, max_jobs_per_user=2)
    async with house.studio(listener, Inverter(gate=gate), limits=limits) as studio:
        (running,) = await studio.submit(house.request(user_id=1))
        await listener.until_heard("started", running)
        await studio.submit(house.request(user_id=1))
        with pytest.raises(TooManyJobs) as too_many:
            await studio.submit(house.request(user_id=1))
        await studio.submit(house.request(user_id=2), house.request(user_id=2))
        with pytest.raises(QueueFull) as full:
            await studio.submit(house.request(user_id=3))
        assert too_many.value.limit == 2
        assert full.value.minutes >= 1
        assert await studio.views(3) == []


async def test_full_queue_says_when_there_will_be_room(house: House, listener: Listener) -> None:
    engine = Inverter(gate=threading.Semaphore(0))
    async with house.studio(listener, engine, limits=StudioLimits(max_jobs=1)) as studio:
        (running,) = await studio.submit(house.request(quality=Quality.HIGH, size_px=2048))
        await listener.until_heard("started", running)
        await studio.submit(house.request())
        (view, _) = await studio.views(1)
        with pytest.raises(QueueFull) as full:
            await studio.submit(house.request())
        assert view.seconds_left is not None
        assert full.value.minutes == math.ceil(view.seconds_left / 60)


async def test_album_that_does_not_fit_is_refused_as_a_whole(
    house: House, listener: Listener
) -> None:
    limits = StudioLimits(max_jobs_per_user=2)
    async with house.studio(listener, limits=limits, start=False) as studio:
        with pytest.raises(TooManyJobs):
            await studio.submit(*(house.request(album="a") for _ in range(3)))
        assert (await studio.stats()).by_state == {}


async def test_stop_delivers_what_there_is(house: House, listener: Listener) -> None:
    gate = threading.Semaphore(2)
    async with house.studio(listener, Inverter(steps=300, gate=gate)) as studio:
        (job,) = await studio.submit(house.request(user_id=1))
        await listener.until(lambda: listener.steps[job.id] == [1, 2])
        assert not await studio.stop(job.id, user_id=2)
        assert await studio.stop(job.id, user_id=1)
        await listener.until_heard("delivered", job)
        done = await studio.get(job.id)
        assert not await studio.stop(job.id, user_id=1)

    assert done is not None
    assert done.notes == {Note.STOPPED}
    assert listener.steps[job.id] == [1, 2]


async def test_cancel_frees_the_card_and_delivers_nothing(house: House, listener: Listener) -> None:
    engine = Inverter(steps=1, gate=threading.Semaphore(0))
    async with house.studio(listener, engine) as studio:
        running, waiting, last = await studio.submit(*(house.request(user_id=1) for _ in range(3)))
        await listener.until_heard("started", running)
        assert not await studio.cancel(running.id, user_id=2)
        assert await studio.cancel(waiting.id, user_id=1)
        assert await studio.cancel(running.id, user_id=1)
        assert not await studio.cancel(running.id, user_id=1)
        await listener.until_heard("started", last)
        assert engine.gate is not None
        engine.gate.release()
        await listener.until_heard("delivered", last)

    assert listener.of("cancelled") == [waiting.id, running.id]
    assert listener.of("delivered") == [last.id]
    assert [path.stem for path in house.folders.results.iterdir()] == [str(last.id)]


async def test_stop_after_cancel_does_not_bring_the_picture_back(
    house: House, listener: Listener
) -> None:
    engine = Inverter(gate=threading.Semaphore(0))
    async with house.studio(listener, engine) as studio:
        (job,) = await studio.submit(house.request())
        await listener.until_heard("started", job)
        cancelled = asyncio.create_task(studio.cancel(job.id, user_id=1))
        stopped = asyncio.create_task(studio.stop(job.id, user_id=1))
        assert await cancelled
        await stopped
        await studio.submit(house.request())
        await listener.until(lambda: len(listener.of("started")) == 2)

    assert listener.of("delivered") == []


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (PictureError(PictureProblem.DAMAGED), Failure.BAD_PICTURE),
        (OutOfMemoryError("Even 64 px did not fit."), Failure.OUT_OF_MEMORY),
        (ZeroDivisionError(), Failure.INTERNAL),
    ],
)
async def test_job_that_fails_is_explained_and_the_next_is_painted(
    house: House, listener: Listener, error: Exception, failure: Failure
) -> None:
    bad = house.photo()
    async with house.studio(listener, Breaker(error, {bad})) as studio:
        failing, fine = await studio.submit(house.request(content=bad), house.request())
        await listener.until_heard("failed", failing)
        await listener.until_heard("delivered", fine)
        stats = await studio.stats()

    assert listener.failures == {failing.id: failure}
    assert stats.failures == {failure: 1}
    assert stats.by_state == {"failed": 1, "delivered": 1}


async def test_pictures_that_went_away_meanwhile_are_named(
    house: House, listener: Listener
) -> None:
    own_style = house.photo()
    engine = Inverter(steps=1, gate=threading.Semaphore(0))
    async with house.studio(listener, engine) as studio:
        running, no_photo, no_style = await studio.submit(
            house.request(), house.request(), house.request(style=StylePick(own_style))
        )
        await listener.until_heard("started", running)
        no_photo.request.content.unlink()
        own_style.unlink()
        assert engine.gate is not None
        engine.gate.release()
        await listener.until_heard("failed", no_photo, no_style)

    assert listener.failures == {
        no_photo.id: Failure.PICTURE_GONE,
        no_style.id: Failure.STYLE_GONE,
    }


async def test_views_tell_place_and_time(house: House, listener: Listener) -> None:
    engine = Inverter(gate=threading.Semaphore(0))
    async with house.studio(listener, engine) as studio:
        draft, standard, high = await studio.submit(
            house.request(quality=Quality.DRAFT),
            house.request(quality=Quality.STANDARD),
            house.request(quality=Quality.HIGH),
        )
        await listener.until_heard("started", draft)
        views = await studio.views(1)

    assert [(view.job.id, view.place) for view in views] == [
        (draft.id, None),
        (standard.id, 1),
        (high.id, 2),
    ]
    first, second, third = (view.seconds_left or 0.0 for view in views)
    assert 0 < first < second < third


async def test_status_message_is_remembered_while_waiting_and_running(
    house: House, listener: Listener
) -> None:
    engine = Inverter(gate=threading.Semaphore(0))
    async with house.studio(listener, engine) as studio:
        running, waiting = await studio.submit(house.request(), house.request())
        await listener.until_heard("started", running)
        await studio.set_status_message(running.id, 7, has_picture=True)
        await studio.set_status_message(waiting.id, 8, has_picture=False)
        views = await studio.views(1)

    shown = [(view.job.status_message_id, view.job.status_has_picture) for view in views]
    assert shown == [(7, True), (8, False)]


async def test_drain_puts_the_running_job_back_without_an_attempt(
    house: House, listener: Listener
) -> None:
    engine = Inverter(steps=300, gate=threading.Semaphore(1))
    async with house.studio(listener, engine) as studio:
        running, waiting = await studio.submit(house.request(user_id=1), house.request(user_id=1))
        await listener.until_heard("stepped", running)
        assert await studio.drain(5)
        back = await studio.get(running.id)
        with pytest.raises(ClosingDown):
            await studio.submit(house.request())
        await studio.ended()
    assert back is not None
    assert (back.state, back.attempts) == (JobState.WAITING, 0)
    assert listener.of("delivered") == []

    async with house.studio(listener) as studio:
        await listener.until_heard("delivered", running, waiting)
    assert listener.of("delivered") == [running.id, waiting.id]


async def test_picture_that_was_stopped_is_delivered_though_the_process_ends(
    house: House, listener: Listener
) -> None:
    engine = Inverter(steps=300, gate=threading.Semaphore(1))
    async with house.studio(listener, engine) as studio:
        (job,) = await studio.submit(house.request())
        await listener.until_heard("stepped", job)
        assert await studio.stop(job.id, user_id=1)
    async with house.studio(listener, engine):
        await listener.until_heard("delivered", job)

    assert len(engine.painted) == 1


async def test_whatever_the_moment_a_job_is_either_delivered_or_cancelled(
    house: House, listener: Listener
) -> None:
    chance = random.Random(5)
    async with house.studio(listener) as studio:
        requests = (house.request(user_id=number % 3) for number in range(30))
        # In one go: on a busy machine those that come one by one are painted as they come.
        jobs = await studio.submit(*requests)
        for job in chance.sample(jobs, 20):
            await asyncio.sleep(chance.uniform(0.0, 0.02))
            press = chance.choice([studio.cancel, studio.cancel, studio.stop])
            await press(job.id, job.request.user_id)
        await listener.until(
            lambda: len(listener.of("delivered")) + len(listener.of("cancelled")) >= len(jobs)
        )
        settled = [await studio.get(job.id) for job in jobs]

    by_state = {
        state: sorted(job.id for job in settled if job is not None and job.state is state)
        for state in (JobState.DELIVERED, JobState.CANCELLED)
    }
    assert by_state[JobState.DELIVERED] == sorted(listener.of("delivered"))
    assert by_state[JobState.CANCELLED] == sorted(listener.of("cancelled"))
    assert by_state[JobState.CANCELLED]
    kept = sorted(int(path.stem) for path in house.folders.results.iterdir())
    assert kept == by_state[JobState.DELIVERED]


async def test_forget_leaves_nothing_of_a_person(house: House, listener: Listener) -> None:
    engine = Inverter(steps=1, gate=threading.Semaphore(1))
    own_style = house.photo("own-style.png")
    async with house.studio(listener, engine) as studio:
        done, running, waiting, other = await studio.submit(
            house.request(user_id=1, style=StylePick(own_style)),
            house.request(user_id=1),
            house.request(user_id=1),
            house.request(user_id=2),
        )
        await listener.until_heard("delivered", done)
        await studio.forget(1)
        assert engine.gate is not None
        engine.gate.release(2)
        await listener.until_heard("delivered", other)
        left = [await studio.get(job.id) for job in (done, running, waiting)]
        files = {path.name for path in house.folders.originals.iterdir()}
        results = {path.stem for path in house.folders.results.iterdir()}

    assert left == [None, None, None]
    assert files == {other.request.content.name}
    assert results == {str(other.id)}
    assert house.preset.exists()
    database = house.folders.database.read_bytes()
    assert done.request.content.name.encode() not in database
    assert other.request.content.name.encode() in database


async def test_every_transition_is_one_line_with_who_what_and_seconds(
    house: House, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "app.jobs")
    async with house.studio(listener) as studio:
        (job,) = await studio.submit(house.request(user_id=77))
        await listener.until_heard("delivered", job)

    lines = [record for record in caplog.records if record.name == "app.jobs"]
    assert [line.getMessage() for line in lines] == [
        "job accepted",
        "job started",
        "job painted",
        "job delivered",
    ]
    facts = {key: vars(lines[-1])[key] for key in ("job", "user", "style", "quality", "size_px")}
    assert facts == {
        "job": job.id,
        "user": 77,
        "style": "gold",
        "quality": "standard",
        "size_px": 512,
    }
    assert vars(lines[-1])["seconds"] >= 0


async def test_the_line_of_a_job_that_came_to_nothing_has_its_seconds_as_well(
    house: House, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "app.jobs")
    bad = house.photo()
    async with house.studio(listener, Breaker(ZeroDivisionError(), {bad})) as studio:
        (job,) = await studio.submit(house.request(content=bad))
        await listener.until_heard("failed", job)

    facts = {record.getMessage(): vars(record) for record in caplog.records}
    assert facts["job started"]["waited_s"] >= 0
    assert facts["job failed"]["seconds"] >= 0
    assert facts["job failed"]["failure"] == "internal"


def jobs_in_memory() -> int:
    gc.collect()
    return sum(type(thing) is Job for thing in gc.get_objects())


async def test_memory_does_not_grow_with_the_jobs(house: House, listener: Listener) -> None:
    before = jobs_in_memory()
    limits = StudioLimits(max_jobs_per_user=20)
    async with house.studio(listener, Inverter(steps=1), limits=limits) as studio:
        for _ in range(3):
            await studio.submit(*(house.request(user_id=number % 5) for number in range(20)))
        await listener.until(lambda: len(listener.of("delivered")) == 60)
        await studio.stats()
        grown_by = jobs_in_memory() - before
    assert grown_by <= 3, "the last one may still be in somebody's hands"
