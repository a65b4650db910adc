import asyncio
import gc
import logging
import math
import random
import threading

import pytest
from PIL import Image

from app.jobs.interface import ClosingDown, DailyLimitReached, QueueFull, TooManyJobs
from app.jobs.model import Delivery, Failure, Job, JobState, StyleChoice
from models.interface import Note, OutOfMemoryError, Quality
from models.pictures.problems import PictureError, PictureProblem
from tests.app.jobs.data_folder import DataFolder
from tests.app.jobs.job_limits import make_limits
from tests.app.jobs.recording_reporter import RecordingReporter
from tests.app.jobs.stub_stylizers import Breaker, Inverter


async def test_job_is_painted_step_by_step_and_delivered(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    async with data_folder.job_service(reporter, Inverter(steps=4)) as job_service:
        (job,) = await job_service.submit(data_folder.request())
        await reporter.until_heard("delivered", job)
        done = await job_service.get(job.id)

    assert reporter.places == [(job.id, 1)]
    assert reporter.steps[job.id] == [1, 2, 3, 4]
    assert reporter.pictures[job.id] == (48, 36)
    assert done is not None
    assert (done.state, done.attempts, done.failure) == (JobState.DELIVERED, 1, None)
    assert done.seconds is not None


async def test_results_are_jpeg_for_the_eye_and_png_for_the_printer(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    async with data_folder.job_service(reporter) as job_service:
        jobs = await job_service.submit(
            data_folder.request(delivery=Delivery.PHOTO),
            data_folder.request(delivery=Delivery.FILE),
        )
        await reporter.until_heard("delivered", *jobs)
        done = [await job_service.get(job.id) for job in jobs]

    formats = []
    for job in done:
        assert job is not None
        assert job.result is not None
        with Image.open(job.result) as picture:
            formats.append(picture.format)
    assert formats == ["JPEG", "PNG"]


async def test_same_update_makes_one_job(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    request = data_folder.request()
    async with data_folder.job_service(reporter) as job_service:
        (first,) = await job_service.submit(request)
        (second,) = await job_service.submit(request)
        both = await job_service.submit(request, request)
        await reporter.until_heard("delivered", first)
    async with data_folder.job_service(reporter) as job_service:
        (after_restart,) = await job_service.submit(request)

    assert {job.id for job in [first, second, *both, after_restart]} == {first.id}
    assert reporter.of("delivered") == [first.id]


async def test_users_take_turns_and_places_are_true(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    gate = threading.Semaphore(0)
    engine = Inverter(steps=1, gate=gate)
    async with data_folder.job_service(reporter, engine) as job_service:
        (running,) = await job_service.submit(data_folder.request(user_id=9))
        await reporter.until_heard("started", running)
        a1, a2, b1 = await job_service.submit(
            data_folder.request(user_id=1),
            data_folder.request(user_id=1),
            data_folder.request(user_id=2),
        )
        assert reporter.places == [(running.id, 1), (a1.id, 1), (b1.id, 2), (a2.id, 3)]
        reporter.places.clear()
        gate.release()
        await reporter.until_heard("started", a1)
        assert reporter.places == [(b1.id, 1), (a2.id, 2)]
        gate.release(3)
        await reporter.until_heard("delivered", a2)

    assert reporter.of("started") == [running.id, a1.id, b1.id, a2.id]


async def test_queue_is_bounded_per_person_and_in_all(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    gate = threading.Semaphore(0)
    limits = make_limits(max_jobs=3, max_jobs_per_user=2)
    async with data_folder.job_service(reporter, Inverter(gate=gate), limits=limits) as job_service:
        (running,) = await job_service.submit(data_folder.request(user_id=1))
        await reporter.until_heard("started", running)
        await job_service.submit(data_folder.request(user_id=1))
        with pytest.raises(TooManyJobs) as too_many:
            await job_service.submit(data_folder.request(user_id=1))
        await job_service.submit(data_folder.request(user_id=2), data_folder.request(user_id=2))
        with pytest.raises(QueueFull) as full:
            await job_service.submit(data_folder.request(user_id=3))
        assert too_many.value.limit == 2
        assert full.value.minutes >= 1
        assert await job_service.views(3) == []


async def test_full_queue_says_when_there_will_be_room(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    engine = Inverter(gate=threading.Semaphore(0))
    async with data_folder.job_service(
        reporter, engine, limits=make_limits(max_jobs=1)
    ) as job_service:
        (running,) = await job_service.submit(
            data_folder.request(quality=Quality.HIGH, size_px=2048)
        )
        await reporter.until_heard("started", running)
        await job_service.submit(data_folder.request())
        (view, _) = await job_service.views(1)
        with pytest.raises(QueueFull) as full:
            await job_service.submit(data_folder.request())
        assert view.seconds_left is not None
        assert full.value.minutes == math.ceil(view.seconds_left / 60)


async def test_album_that_does_not_fit_is_refused_as_a_whole(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    limits = make_limits(max_jobs_per_user=2)
    async with data_folder.job_service(reporter, limits=limits, start=False) as job_service:
        with pytest.raises(TooManyJobs):
            await job_service.submit(*(data_folder.request(album="a") for _ in range(3)))
        assert (await job_service.stats()).by_state == {}


async def test_stop_delivers_what_there_is(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    gate = threading.Semaphore(2)
    async with data_folder.job_service(reporter, Inverter(steps=300, gate=gate)) as job_service:
        (job,) = await job_service.submit(data_folder.request(user_id=1))
        await reporter.until(lambda: reporter.steps[job.id] == [1, 2])
        assert not await job_service.stop(job.id, user_id=2)
        assert await job_service.stop(job.id, user_id=1)
        await reporter.until_heard("delivered", job)
        done = await job_service.get(job.id)
        assert not await job_service.stop(job.id, user_id=1)

    assert done is not None
    assert done.notes == {Note.STOPPED}
    assert reporter.steps[job.id] == [1, 2]


async def test_cancel_frees_the_gpu_and_delivers_nothing(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    engine = Inverter(steps=1, gate=threading.Semaphore(0))
    async with data_folder.job_service(reporter, engine) as job_service:
        running, waiting, last = await job_service.submit(
            *(data_folder.request(user_id=1) for _ in range(3))
        )
        await reporter.until_heard("started", running)
        assert not await job_service.cancel(running.id, user_id=2)
        assert await job_service.cancel(waiting.id, user_id=1)
        assert await job_service.cancel(running.id, user_id=1)
        assert not await job_service.cancel(running.id, user_id=1)
        await reporter.until_heard("started", last)
        assert engine.gate is not None
        engine.gate.release()
        await reporter.until_heard("delivered", last)

    assert reporter.of("cancelled") == [waiting.id, running.id]
    assert reporter.of("delivered") == [last.id]
    assert [path.stem for path in data_folder.folders.results.iterdir()] == [str(last.id)]


async def test_stop_after_cancel_does_not_bring_the_picture_back(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    engine = Inverter(gate=threading.Semaphore(0))
    async with data_folder.job_service(reporter, engine) as job_service:
        (job,) = await job_service.submit(data_folder.request())
        await reporter.until_heard("started", job)
        cancelled = asyncio.create_task(job_service.cancel(job.id, user_id=1))
        stopped = asyncio.create_task(job_service.stop(job.id, user_id=1))
        assert await cancelled
        await stopped
        await job_service.submit(data_folder.request())
        await reporter.until(lambda: len(reporter.of("started")) == 2)

    assert reporter.of("delivered") == []


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (PictureError(PictureProblem.DAMAGED), Failure.BAD_PICTURE),
        (OutOfMemoryError("Even 64 px did not fit."), Failure.OUT_OF_MEMORY),
        (ZeroDivisionError(), Failure.INTERNAL),
    ],
)
async def test_job_that_fails_is_explained_and_the_next_is_painted(
    data_folder: DataFolder, reporter: RecordingReporter, error: Exception, failure: Failure
) -> None:
    bad = data_folder.photo()
    async with data_folder.job_service(reporter, Breaker(error, {bad})) as job_service:
        failing, fine = await job_service.submit(
            data_folder.request(content=bad), data_folder.request()
        )
        await reporter.until_heard("failed", failing)
        await reporter.until_heard("delivered", fine)
        stats = await job_service.stats()

    assert reporter.failures == {failing.id: failure}
    assert stats.failures == {failure: 1}
    assert stats.by_state == {"failed": 1, "delivered": 1}


async def test_pictures_that_went_away_meanwhile_are_named(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    own_style = data_folder.photo()
    engine = Inverter(steps=1, gate=threading.Semaphore(0))
    async with data_folder.job_service(reporter, engine) as job_service:
        running, no_photo, no_style = await job_service.submit(
            data_folder.request(),
            data_folder.request(),
            data_folder.request(style=StyleChoice(own_style)),
        )
        await reporter.until_heard("started", running)
        no_photo.request.content.unlink()
        own_style.unlink()
        assert engine.gate is not None
        engine.gate.release()
        await reporter.until_heard("failed", no_photo, no_style)

    assert reporter.failures == {
        no_photo.id: Failure.PICTURE_GONE,
        no_style.id: Failure.STYLE_GONE,
    }


async def test_views_tell_place_and_time(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    engine = Inverter(gate=threading.Semaphore(0))
    async with data_folder.job_service(reporter, engine) as job_service:
        draft, standard, high = await job_service.submit(
            data_folder.request(quality=Quality.DRAFT),
            data_folder.request(quality=Quality.STANDARD),
            data_folder.request(quality=Quality.HIGH),
        )
        await reporter.until_heard("started", draft)
        views = await job_service.views(1)

    assert [(view.job.id, view.place) for view in views] == [
        (draft.id, None),
        (standard.id, 1),
        (high.id, 2),
    ]
    first, second, third = (view.seconds_left or 0.0 for view in views)
    assert 0 < first < second < third


async def test_drain_puts_the_running_job_back_without_an_attempt(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    engine = Inverter(steps=300, gate=threading.Semaphore(1))
    async with data_folder.job_service(reporter, engine) as job_service:
        running, waiting = await job_service.submit(
            data_folder.request(user_id=1), data_folder.request(user_id=1)
        )
        await reporter.until_heard("stepped", running)
        assert await job_service.drain(5)
        back = await job_service.get(running.id)
        with pytest.raises(ClosingDown):
            await job_service.submit(data_folder.request())
        await job_service.ended()
    assert back is not None
    assert (back.state, back.attempts) == (JobState.WAITING, 0)
    assert reporter.of("delivered") == []

    async with data_folder.job_service(reporter) as job_service:
        await reporter.until_heard("delivered", running, waiting)
    assert reporter.of("delivered") == [running.id, waiting.id]


async def test_picture_that_was_stopped_is_delivered_though_the_process_ends(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    engine = Inverter(steps=300, gate=threading.Semaphore(1))
    async with data_folder.job_service(reporter, engine) as job_service:
        (job,) = await job_service.submit(data_folder.request())
        await reporter.until_heard("stepped", job)
        assert await job_service.stop(job.id, user_id=1)
    async with data_folder.job_service(reporter, engine):
        await reporter.until_heard("delivered", job)

    assert len(engine.painted) == 1


async def test_whatever_the_moment_a_job_is_either_delivered_or_cancelled(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    chance = random.Random(5)
    async with data_folder.job_service(reporter) as job_service:
        requests = (data_folder.request(user_id=number % 3) for number in range(30))
        # In one go: on a busy machine those that come one by one are painted as they come.
        jobs = await job_service.submit(*requests)
        for job in chance.sample(jobs, 20):
            await asyncio.sleep(chance.uniform(0.0, 0.02))
            press = chance.choice([job_service.cancel, job_service.cancel, job_service.stop])
            await press(job.id, job.request.user_id)
        await reporter.until(
            lambda: len(reporter.of("delivered")) + len(reporter.of("cancelled")) >= len(jobs)
        )
        settled = [await job_service.get(job.id) for job in jobs]

    by_state = {
        state: sorted(job.id for job in settled if job is not None and job.state is state)
        for state in (JobState.DELIVERED, JobState.CANCELLED)
    }
    assert by_state[JobState.DELIVERED] == sorted(reporter.of("delivered"))
    assert by_state[JobState.CANCELLED] == sorted(reporter.of("cancelled"))
    assert by_state[JobState.CANCELLED]
    kept = sorted(int(path.stem) for path in data_folder.folders.results.iterdir())
    assert kept == by_state[JobState.DELIVERED]


async def test_forget_leaves_nothing_of_a_person(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    engine = Inverter(steps=2, gate=threading.Semaphore(2), shows=True)
    own_style = data_folder.photo("own-style.png")
    async with data_folder.job_service(reporter, engine) as job_service:
        done, running, waiting, other = await job_service.submit(
            data_folder.request(user_id=1, style=StyleChoice(own_style)),
            data_folder.request(user_id=1),
            data_folder.request(user_id=1),
            data_folder.request(user_id=2),
        )
        await reporter.until_heard("delivered", done)
        shown = await job_service.get(done.id)
        assert shown is not None
        assert shown.frames == 2
        await job_service.forget(1)
        assert engine.gate is not None
        engine.gate.release(4)
        await reporter.until_heard("delivered", other)
        left = [await job_service.get(job.id) for job in (done, running, waiting)]
        files = {path.name for path in data_folder.folders.originals.iterdir()}
        results = {path.name for path in data_folder.folders.results.iterdir()}

    assert left == [None, None, None]
    assert files == {other.request.content.name}
    assert results == {f"{other.id}.jpg", f"{other.id}.frames.zip"}
    assert data_folder.preset.exists()
    database = data_folder.folders.database.read_bytes()
    assert done.request.content.name.encode() not in database
    assert other.request.content.name.encode() in database


async def test_deleted_results_take_along_what_no_other_job_needs(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    shared, kept, alone = (data_folder.photo() for _ in range(3))
    async with data_folder.job_service(reporter, Inverter(shows=True)) as job_service:
        first, second, third, strangers = await job_service.submit(
            data_folder.request(user_id=1, content=shared),
            data_folder.request(user_id=1, content=shared),
            data_folder.request(user_id=1, content=kept, style=StyleChoice(alone)),
            data_folder.request(user_id=2),
        )
        await reporter.until_heard("delivered", first, second, third, strangers)
        assert await job_service.delete([strangers], user_id=1) == []
        deleted = await job_service.delete([first, third], user_id=1, keep={kept})
        assert [job.id for job in deleted] == [first.id, third.id]
        past = await job_service.past_results(1, limit=10)
        files = set(data_folder.folders.originals.iterdir())
        results = {path.name for path in data_folder.folders.results.iterdir()}

    assert [job.id for job in past] == [second.id]
    assert files == {shared, kept, strangers.request.content}
    names = {f"{job.id}.{end}" for job in (second, strangers) for end in ("jpg", "frames.zip")}
    assert results == names
    assert data_folder.preset.exists()


async def test_every_transition_is_one_line_with_what_and_seconds_and_without_who(
    data_folder: DataFolder, reporter: RecordingReporter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "app.jobs")
    async with data_folder.job_service(reporter) as job_service:
        (job,) = await job_service.submit(data_folder.request(user_id=77))
        await reporter.until_heard("delivered", job)

    lines = [record for record in caplog.records if record.name == "app.jobs"]
    assert [line.getMessage() for line in lines] == [
        "job accepted",
        "job started",
        "job painted",
        "job delivered",
    ]
    assert not [line for line in lines if "77" in map(str, vars(line).values())]
    facts = {key: vars(lines[-1])[key] for key in ("job", "style", "quality", "size_px")}
    assert facts == {
        "job": job.id,
        "style": "gold",
        "quality": "standard",
        "size_px": 512,
    }
    assert vars(lines[-1])["seconds"] >= 0


async def test_the_line_of_a_job_that_came_to_nothing_has_its_seconds_as_well(
    data_folder: DataFolder, reporter: RecordingReporter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "app.jobs")
    bad = data_folder.photo()
    async with data_folder.job_service(
        reporter, Breaker(ZeroDivisionError(), {bad})
    ) as job_service:
        (job,) = await job_service.submit(data_folder.request(content=bad))
        await reporter.until_heard("failed", job)

    facts = {record.getMessage(): vars(record) for record in caplog.records}
    assert facts["job started"]["waited_s"] >= 0
    assert facts["job failed"]["seconds"] >= 0
    assert facts["job failed"]["failure"] == "internal"


def jobs_in_memory() -> int:
    gc.collect()
    return sum(type(thing) is Job for thing in gc.get_objects())


async def test_memory_does_not_grow_with_the_jobs(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    before = jobs_in_memory()
    limits = make_limits(max_jobs_per_user=20)
    async with data_folder.job_service(reporter, Inverter(steps=1), limits=limits) as job_service:
        for _ in range(3):
            await job_service.submit(
                *(data_folder.request(user_id=number % 5) for number in range(20))
            )
        await reporter.until(lambda: len(reporter.of("delivered")) == 60)
        await job_service.stats()
        grown_by = jobs_in_memory() - before
    assert grown_by <= 3, "the last one may still be in somebody's hands"


async def test_a_daily_number_is_said_before_it_is_reached(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    limits = make_limits(max_daily_per_user=3)
    async with data_folder.job_service(reporter, limits=limits) as job_service:
        jobs = [(await job_service.submit(data_folder.request()))[0] for _ in range(3)]
        assert [job.allowance_left for job in jobs] == [2, 1, 0]
        with pytest.raises(DailyLimitReached) as refused:
            await job_service.submit(data_folder.request())
        assert 86_000 < refused.value.wait_s <= 86_400
        (others,) = await job_service.submit(data_folder.request(user_id=2))
        assert others.allowance_left == 2


async def test_what_was_never_painted_does_not_count(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    engine = Inverter(gate=threading.Semaphore(0))
    limits = make_limits(max_daily_per_user=2)
    async with data_folder.job_service(reporter, engine, limits=limits) as job_service:
        (running,) = await job_service.submit(data_folder.request())
        await reporter.until_heard("started", running)
        (waiting,) = await job_service.submit(data_folder.request())
        assert await job_service.cancel(waiting.id, 1)
        (another,) = await job_service.submit(data_folder.request())
        assert another.allowance_left == 0


async def test_who_is_forgotten_has_no_new_allowance(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    limits = make_limits(max_daily_per_user=1)
    async with data_folder.job_service(reporter, limits=limits) as job_service:
        (job,) = await job_service.submit(data_folder.request())
        await reporter.until_heard("delivered", job)
        await job_service.forget(1)
        with pytest.raises(DailyLimitReached):
            await job_service.submit(data_folder.request())
