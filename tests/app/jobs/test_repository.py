import dataclasses
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.jobs import table
from app.jobs.interface import ResultMessage, StatusMessageId
from app.jobs.model import Delivery, Failure, Job, JobRequest, JobState, PrintSize, StyleChoice
from app.jobs.repository import JobRepository
from app.jobs.running.timings import Measured
from app.storage.database import Database
from models.interface import Note, Quality, StyleOptions


@pytest.fixture
async def repository(tmp_path: Path) -> AsyncIterator[JobRepository]:
    repository = await JobRepository.open(tmp_path / "jobs.sqlite3", bot_id=1, clock=lambda: 1000.0)
    yield repository
    await repository.close()


def request(root: Path, origin: str = "update:1", user_id: int = 5) -> JobRequest:
    return JobRequest(
        origin=origin,
        user_id=user_id,
        chat_id=-100_123,
        language="ru",
        content=root / "originals" / "фото.jpg",
        styles=(
            StyleChoice(Path("/presets/wave.jpg"), "wave", 2.0),
            StyleChoice(root / "originals" / "own.png"),
        ),
        options=StyleOptions(
            quality=Quality.HIGH, size_px=1024, strength=35, keep_colors=True, brush=0.5, steps=77
        ),
        delivery=Delivery.FILE,
        album="album:9",
        album_size=2,
        thread_id=3,
        reply_to=4,
    )


async def add(repository: JobRepository, root: Path, origin: str = "update:1") -> Job:
    (job,) = await repository.add([request(root, origin)])
    return job


async def test_job_comes_back_from_the_disk_as_it_was(
    repository: JobRepository, tmp_path: Path
) -> None:
    asked = request(tmp_path)
    (job,) = await repository.add([asked])
    assert job == Job(id=job.id, request=asked, created_at=1000.0)
    assert await repository.get(job.id) == job


async def test_data_folder_can_be_moved(repository: JobRepository, tmp_path: Path) -> None:
    job = await add(repository, tmp_path)
    await repository.close()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "jobs.sqlite3").rename(elsewhere / "jobs.sqlite3")
    moved = await JobRepository.open(elsewhere / "jobs.sqlite3", bot_id=1)
    found = await moved.get(job.id)
    await moved.close()
    assert found is not None
    assert found.request.content == elsewhere / "originals" / "фото.jpg"
    assert found.request.styles[0].picture == Path("/presets/wave.jpg")


async def test_requests_are_written_all_or_none(repository: JobRepository, tmp_path: Path) -> None:
    await add(repository, tmp_path, "update:1")
    with pytest.raises(sqlite3.IntegrityError):
        await repository.add([request(tmp_path, "update:2"), request(tmp_path, "update:1")])
    assert await repository.known(["update:2"]) == {}


async def test_jobs_of_the_version_before_are_read(tmp_path: Path) -> None:
    file = tmp_path / "jobs.sqlite3"
    before = await Database.open(file, table.MIGRATIONS[:1])
    job = request(tmp_path, "trial:1")
    *values, _, _, _, created_at = table.insert_values(job, bot_id=1, created_at=1.0, root=tmp_path)
    insert = (
        table.INSERT.replace(" is_trial, print_size, clip,", "")
        .replace("?, ", "", 3)
        .replace("RETURNING *", "")
    )
    await before.execute(insert, (*values, created_at))
    # As it was written before anybody could choose.
    await before.execute("UPDATE jobs SET options = json_remove(options, '$.keep_faces')", ())
    await before.close()
    repository = await JobRepository.open(file, bot_id=1)
    [found] = await repository.open_of(job.user_id)
    await repository.close()
    assert found.request.options == job.options
    assert found.faces == 0
    assert found.request.is_trial


async def test_life_of_a_job(repository: JobRepository, tmp_path: Path) -> None:
    job = await add(repository, tmp_path)
    running = await repository.start(job.id)
    painted = await repository.painted(
        job.id, result=tmp_path / "results" / "1.jpg", notes={Note.SHRUNK}, seconds=1.5, faces=2
    )
    (delivered,) = await repository.delivered([job.id])

    assert running == dataclasses.replace(
        job, state=JobState.RUNNING, attempts=1, started_at=1000.0
    )
    assert delivered.state is JobState.DELIVERED
    assert painted == dataclasses.replace(
        running,
        state=JobState.PAINTED,
        result=tmp_path / "results" / "1.jpg",
        notes=frozenset({Note.SHRUNK}),
        faces=2,
        seconds=1.5,
        finished_at=1000.0,
    )
    assert await repository.measured(10) == [Measured(job.request.options, 1.5)]


async def test_transition_from_another_state_changes_nothing(
    repository: JobRepository, tmp_path: Path
) -> None:
    job = await add(repository, tmp_path)
    assert await repository.put_back(job.id) is None
    assert await repository.fail(job.id, Failure.INTERNAL) is None
    assert await repository.delivered([job.id]) == []
    assert await repository.cancel(job.id) is not None
    assert await repository.cancel(job.id) is None
    assert await repository.start(job.id) is None
    result = tmp_path / "results" / "1.jpg"
    assert await repository.painted(job.id, result=result, notes=(), seconds=1.0) is None
    cancelled = await repository.get(job.id)
    assert cancelled is not None
    assert cancelled.state is JobState.CANCELLED


async def test_what_ran_waits_again_in_front_of_the_others(
    repository: JobRepository, tmp_path: Path
) -> None:
    first = await add(repository, tmp_path, "update:1")
    second = await add(repository, tmp_path, "update:2")
    await repository.start(second.id)
    waiting = await repository.recover(max_attempts=3)
    assert [(job.id, job.attempts) for job in waiting] == [(second.id, 1), (first.id, 0)]


async def test_stopped_pictures_say_nothing_about_time(
    repository: JobRepository, tmp_path: Path
) -> None:
    job = await add(repository, tmp_path)
    await repository.start(job.id)
    result = tmp_path / "results" / "1.jpg"
    await repository.painted(job.id, result=result, notes={Note.STOPPED}, seconds=1.0)
    assert await repository.measured(10) == []


async def test_two_bots_in_one_file_do_not_touch_each_others_jobs(
    repository: JobRepository, tmp_path: Path
) -> None:
    mine = await add(repository, tmp_path)
    await repository.start(mine.id)
    other = await JobRepository.open(tmp_path / "jobs.sqlite3", bot_id=2)
    assert await other.recover(max_attempts=1) == []
    assert await other.known(["update:1"]) == {}
    assert mine.request.content in await other.open_pictures()
    await add(other, tmp_path, "update:1")
    await other.close()
    untouched = await repository.get(mine.id)
    assert untouched is not None
    assert untouched.state is JobState.RUNNING


async def test_number_of_a_forgotten_job_is_never_given_again(
    repository: JobRepository, tmp_path: Path
) -> None:
    job = await add(repository, tmp_path)
    assert [gone.id for gone in await repository.forget(5)] == [job.id]
    again = await add(repository, tmp_path)
    assert again.id > job.id


async def test_a_status_message_is_that_of_the_job_or_of_all_its_album(
    repository: JobRepository, tmp_path: Path
) -> None:
    alone, first, second = await repository.add(
        [
            request(tmp_path, "update:1"),
            replace(request(tmp_path, "update:2"), album="a"),
            replace(request(tmp_path, "update:3"), album="a"),
        ]
    )
    await repository.set_status_message(first, StatusMessageId(7, has_picture=True))
    assert await repository.status_message(second) == StatusMessageId(7, has_picture=True)
    assert await repository.status_message(alone) is None


async def test_where_a_result_stands_is_remembered(
    repository: JobRepository, tmp_path: Path
) -> None:
    job = await add(repository, tmp_path)
    await repository.set_result_message(job, ResultMessage(7, "AgAC", is_photo=True))
    # Shown again after a restart: Telegram says no more than that nothing has changed.
    await repository.set_result_message(job, ResultMessage(7, None, is_photo=True))
    found = await repository.get(job.id)
    assert found is not None
    assert (found.result_message_id, found.result_file_id) == (7, "AgAC")
    assert found.result_is_photo


async def test_only_delivered_results_of_its_owner_are_deleted(
    repository: JobRepository, tmp_path: Path
) -> None:
    job = await add(repository, tmp_path)
    await repository.start(job.id)
    result = tmp_path / "results" / "1.jpg"
    await repository.painted(job.id, result=result, notes=(), seconds=1.0)
    assert await repository.delete_results([job.id], 5) == []
    (delivered,) = await repository.delivered([job.id])
    assert await repository.delete_results([job.id], 6) == []
    assert await repository.delete_results([job.id], 5) == [delivered]
    assert await repository.delete_results([job.id], 5) == []
    found = await repository.get(job.id)
    assert found is not None
    assert (found.state, found.result, found.request.styles) == (JobState.DELETED, None, ())
    assert await repository.remembered(5) == []
    assert await repository.known([job.request.origin]) == {job.request.origin: found}


async def test_what_is_for_print_is_known_as_such(
    repository: JobRepository, tmp_path: Path
) -> None:
    (job,) = await repository.add([replace(request(tmp_path), print_size=PrintSize.A3)])
    found = await repository.get(job.id)
    assert found is not None
    assert found.request.print_size is PrintSize.A3


async def test_what_shows_a_style_is_known_as_such(
    repository: JobRepository, tmp_path: Path
) -> None:
    (trial,) = await repository.add([replace(request(tmp_path), is_trial=True)])
    found = await repository.get(trial.id)
    assert found is not None
    assert found.request.is_trial


STRANGE = {
    "a new quality": ("options", '{"quality": "sublime"}'),
    "a new option": ("options", '{"quality": "high", "glaze": 3}'),
    "an option out of range": ("options", '{"quality": "high", "size_px": 1}'),
    "no options": ("options", "[]"),
    "a new note": ("notes", '["sang"]'),
    "broken notes": ("notes", "[["),
    "a new state": ("state", "varnished"),
    "a new failure": ("failure", "bored"),
    "a new delivery": ("delivery", "pigeon"),
    "broken styles": ("styles", '[{"picture": 7}]'),
    "no list of styles": ("styles", "null"),
    "nothing": ("language", None),
    "no text": ("content", b"\xff\xfe"),
    "no number": ("attempts", "many"),
    "no JSON": ("styles", b"\xff"),
    "a new kind of clip": (
        "clip",
        '{"kind": "hologram", "frames": 2, "seconds": 1, "width_px": 64, "height_px": 64}',
    ),
    "half a clip": ("clip", '{"kind": "video"}'),
    "a broken clip": ("clip", "{"),
    "no clip": ("clip", "7"),
}


@pytest.mark.parametrize(("column", "value"), STRANGE.values(), ids=STRANGE)
async def test_a_row_of_another_version_takes_no_other_down(
    tmp_path: Path, column: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "jobs.sqlite3"
    # As another version may have it: without a word on what must not be NULL.
    schema = table.MIGRATIONS[0].replace("language TEXT NOT NULL", "language TEXT")
    await (await Database.open(path, [schema, *table.MIGRATIONS[1:]])).close()
    repository = await JobRepository.open(path, bot_id=1)
    strange, sound = await add(repository, tmp_path), await add(repository, tmp_path, "update:2")
    for job in (strange, sound):
        await repository.start(job.id)
        await repository.painted(job.id, result=tmp_path / "results" / "1.jpg", notes=(), seconds=1)
    await repository.close()
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute(f"UPDATE jobs SET {column} = ? WHERE id = ?", (value, strange.id))  # noqa: S608

    repository = await JobRepository.open(path, bot_id=1)
    await repository.recover(max_attempts=3)
    assert [job.id for job in await repository.owed()] == [sound.id]
    assert [job.id for job in await repository.open_of(5)] == [sound.id]
    assert len(await repository.measured(10)) >= 1
    assert await repository.get(strange.id) is None
    kept = await repository.open_pictures()
    assert {sound.request.content, tmp_path / "results" / "1.jpg"} <= kept
    with closing(sqlite3.connect(path)) as raw:
        raw.text_factory = bytes
        ((left,),) = raw.execute(f"SELECT {column} FROM jobs WHERE id = ?", (strange.id,))  # noqa: S608
    assert left == (value.encode() if isinstance(value, str) else value)
    said = [record for record in caplog.records if "can't be read" in record.message]
    assert [vars(record)["job"] for record in said] == [strange.id]
    assert vars(said[0])["fields"] == [column]
    assert tmp_path / "results" / "1.jpg" in await repository.pictures_of_all(5)
    assert [job.id for job in await repository.forget(5)] == [sound.id]
    await repository.close()
