from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from app.bot.job_message.reporter import Pace
from app.bot.transport.outgoing import Pacer
from app.jobs.interface import RecipientGone, StatusMessageId, WorkerState
from app.jobs.model import Delivery, Failure, JobState
from app.sandbox.errors import bad_request
from app.sandbox.world import Message
from models.interface import Note, OutOfMemoryError
from tests.app.bot.reporter_harness import GROUP_ID, STEPS, ReporterHarness, eventually
from tests.patience import PATIENCE_S

SLOW = Pace(private_s=0.6, group_s=1.2)


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[ReporterHarness]:
    async with ReporterHarness.open(tmp_path) as opened:
        yield opened


@pytest.fixture
async def slow_harness(tmp_path: Path) -> AsyncIterator[ReporterHarness]:
    async with ReporterHarness.open(tmp_path, pace=SLOW) as opened:
        yield opened


def buttons(message: Message) -> list[str]:
    return [button["text"] for button in message.buttons]


async def test_one_message_from_the_first_word_to_the_result(harness: ReporterHarness) -> None:
    job = await harness.submit()
    message = await harness.draft()
    assert harness.colors(message) == ["navy"]
    assert "Left: ~40 seconds" in message.text
    assert len(message.buttons) == 2
    for step in range(1, STEPS):
        harness.painter.cue(1)
        await harness.message(says=f"{step} / 4")
    harness.painter.cue(1)
    await harness.delivered(job.id)
    assert harness.spoken() == [message]
    assert harness.colors(message) == ["navy", "teal", "olive", "maroon", "gold"]
    assert message.text == "Ready ✨ A style of your own"
    delivered = await harness.delivered(job.id)
    assert delivered.result_message_id == message.id
    assert delivered.result_file_id == message.content["photo"][-1]["file_id"]
    assert delivered.result_is_photo
    assert buttons(message) == ["➖ Weaker", "➕ Stronger", "🖼 Other style", "📤 Share", "⋯ More"]


async def test_the_place_in_the_queue_is_true(harness: ReporterHarness) -> None:
    await harness.submit()
    await harness.draft()
    await harness.submit(harness.ben)
    await harness.submit(harness.ben)
    harness.painter.cue(2)
    await harness.message(harness.ben.chat, says="queue: 2")
    first, second = harness.spoken(harness.ben.chat)
    assert "queue: 1" in first.text
    assert "Ready in" in first.text
    harness.painter.cue(2)
    await eventually(lambda: "queue: 1" in second.text)
    await eventually(lambda: "/ 4" in first.text)
    harness.painter.cue(20)


async def test_russian_plurals(harness: ReporterHarness) -> None:
    await harness.submit(language="ru")
    await harness.message(says="Осталось: ~40 секунд")
    harness.painter.cue()


async def test_edits_keep_the_pace_and_show_the_latest(slow_harness: ReporterHarness) -> None:
    job = await slow_harness.submit()
    for _ in range(STEPS):
        await asyncio.sleep(0.4)
        slow_harness.painter.cue(1)
    await slow_harness.delivered(job.id)
    edits = sorted(
        slow_harness.times("editMessageMedia") + slow_harness.times("editMessageCaption")
    )
    pauses = [after - before for before, after in pairwise(edits[:-1])]
    assert pauses
    assert min(pauses) >= SLOW.private_s - 0.05
    assert slow_harness.colors(await slow_harness.message())[-1] == "gold"


async def test_groups_are_edited_more_rarely_and_answered(slow_harness: ReporterHarness) -> None:
    group = slow_harness.sandbox.world.open_group(GROUP_ID, "Friends")
    asked = slow_harness.anna.write("/style", chat=group)
    job = await slow_harness.submit(chat_id=GROUP_ID, reply_to=asked.id)
    for _ in range(STEPS):
        await asyncio.sleep(0.5)
        slow_harness.painter.cue(1)
    await slow_harness.delivered(job.id)
    message = await slow_harness.message(group)
    assert message.reply_to is asked
    edits = sorted(
        slow_harness.times("editMessageMedia") + slow_harness.times("editMessageCaption")
    )
    pauses = [after - before for before, after in pairwise(edits[:-1])]
    assert all(pause >= SLOW.group_s - 0.05 for pause in pauses)


async def test_stop_delivers_what_is_there(harness: ReporterHarness) -> None:
    job = await harness.submit()
    harness.painter.cue(2)
    await harness.message(says="2 / 4")
    assert await harness.job_service.stop(job.id, harness.anna.user.id)
    await harness.delivered(job.id)
    message = await harness.message(says="Stopped")
    assert harness.colors(message)[-1] == "olive"


@pytest.mark.parametrize("note", [Note.SHRUNK, Note.DIVERGED])
async def test_notes_stand_in_the_caption(harness: ReporterHarness, note: Note) -> None:
    harness.painter.notes = frozenset({note})
    harness.painter.cue()
    job = await harness.submit()
    await harness.delivered(job.id)
    message = await harness.message(says="Ready")
    assert len(message.text.splitlines()) == 2


async def test_cancel_of_a_waiting_job_leaves_one_line(harness: ReporterHarness) -> None:
    await harness.submit()
    waiting = await harness.submit(harness.ben)
    message = await harness.message(harness.ben.chat, says="queue")
    assert await harness.job_service.cancel(waiting.id, harness.ben.user.id)
    await eventually(lambda: message.text.startswith("Cancelled"))
    assert not message.buttons
    harness.painter.cue(20)


async def test_cancel_takes_the_half_painted_picture_away(harness: ReporterHarness) -> None:
    job = await harness.submit()
    await harness.draft()
    assert await harness.job_service.cancel(job.id, harness.anna.user.id)
    await eventually(lambda: not harness.spoken())


async def test_a_file_comes_as_it_is(harness: ReporterHarness) -> None:
    harness.painter.cue()
    job = await harness.submit(delivery=Delivery.FILE)
    await harness.delivered(job.id)
    message = await harness.message(says="Ready")
    assert message.content["document"]["file_name"] == f"painting-{job.id}.png"
    assert harness.spoken() == [message]
    finished = await harness.job_service.get(job.id)
    stored = harness.sandbox.world.files.get(message.content["document"]["file_id"])
    assert finished is not None
    assert finished.result is not None
    assert stored is not None
    assert stored.data == finished.result.read_bytes()


async def test_a_failed_job_says_why(harness: ReporterHarness) -> None:
    harness.painter.error = OutOfMemoryError("it does not fit")
    await harness.submit()
    message = await harness.draft()
    harness.painter.cue()
    await eventually(lambda: "too large" in message.text)
    assert not message.buttons


async def test_silence_is_kept_and_the_result_still_arrives(harness: ReporterHarness) -> None:
    job = await harness.submit()
    await harness.draft()
    harness.sandbox.faults.too_many_requests("editMessageMedia", retry_after_s=1)
    harness.painter.cue(1)
    await eventually(lambda: harness.times("editMessageMedia", ok=False))
    harness.painter.cue(STEPS - 1)
    await harness.delivered(job.id)
    (refused_at,) = harness.times("editMessageMedia", ok=False)
    later = [at for at in harness.times("editMessageMedia") if at > refused_at]
    assert len(later) == 1
    assert later[0] >= refused_at + 0.95
    assert harness.colors(await harness.message()) == ["navy", "gold"]


async def test_a_long_silence_is_waited_out_by_the_queue(tmp_path: Path) -> None:
    async with ReporterHarness.open(tmp_path, patience_s=0.2) as harness:
        job = await harness.submit()
        await harness.draft()
        harness.sandbox.faults.too_many_requests("editMessageMedia", retry_after_s=1)
        harness.painter.cue()
        await harness.delivered(job.id)
        assert harness.colors(await harness.message())[-1] == "gold"
        assert len(harness.spoken()) == 1


@pytest.mark.parametrize("after_effect", [False, True])
async def test_a_broken_connection_neither_loses_nor_doubles(
    harness: ReporterHarness, after_effect: bool
) -> None:
    harness.sandbox.faults.drop("editMessageMedia", after_effect=after_effect, times=2)
    harness.painter.cue()
    job = await harness.submit()
    await harness.delivered(job.id)
    assert len(harness.spoken()) == 1
    assert harness.colors(await harness.message())[-1] == "gold"


async def test_server_errors_pass(harness: ReporterHarness) -> None:
    harness.sandbox.faults.server_error("editMessageMedia", times=3)
    harness.sandbox.faults.server_error("sendMessage", times=1)
    harness.painter.cue()
    job = await harness.submit()
    await harness.delivered(job.id)
    assert len(harness.spoken()) == 1


async def test_not_modified_is_no_error(harness: ReporterHarness) -> None:
    job = await harness.submit()
    await harness.draft()
    harness.sandbox.faults.refuse("editMessageMedia", bad_request("message is not modified: x"))
    harness.painter.cue()
    await harness.delivered(job.id)
    assert len(harness.spoken()) == 1


async def test_a_message_that_was_deleted_is_replaced(harness: ReporterHarness) -> None:
    job = await harness.submit()
    message = await harness.draft()
    harness.sandbox.world.remove(message)
    harness.painter.cue()
    await harness.delivered(job.id)
    (new,) = harness.spoken()
    assert new is not message
    assert harness.colors(new)[-1] == "gold"


async def test_a_photo_that_telegram_refuses_goes_as_a_file(harness: ReporterHarness) -> None:
    job = await harness.submit()
    await harness.draft()
    harness.sandbox.faults.refuse(
        "editMessageMedia", bad_request("PHOTO_INVALID_DIMENSIONS"), times=1
    )
    harness.painter.cue()
    await harness.delivered(job.id)
    assert "document" in (await harness.message(says="Ready")).content


async def test_the_final_edit_comes_after_one_in_flight(harness: ReporterHarness) -> None:
    job = await harness.submit()
    await harness.draft()
    stall = harness.sandbox.faults.stall("editMessageMedia", seconds=0.4)
    harness.painter.cue(1)
    await eventually(lambda: stall.met)
    harness.painter.cue(STEPS - 1)
    await harness.delivered(job.id)
    assert harness.colors(await harness.message())[-1] == "gold"


async def test_an_edit_that_hangs_does_not_hold_the_end_up(harness: ReporterHarness) -> None:
    await harness.submit()
    await harness.draft()
    stall = harness.sandbox.faults.stall("editMessageMedia", seconds=60)
    harness.painter.cue(1)
    await eventually(lambda: stall.met)
    async with asyncio.timeout(PATIENCE_S):
        await harness.reporter.close(timeout_s=0.1)


async def test_who_blocks_the_bot_frees_the_gpu(harness: ReporterHarness) -> None:
    job = await harness.submit()
    await harness.draft()
    other = await harness.submit(harness.ben)
    harness.anna.block()
    harness.painter.cue(1)
    await harness.draft(harness.ben.chat)
    cancelled = await harness.job_service.get(job.id)
    assert cancelled is not None
    assert cancelled.state is JobState.CANCELLED
    harness.painter.cue(20)
    await harness.delivered(other.id)


async def test_after_a_restart_the_same_message_becomes_the_result(
    harness: ReporterHarness,
) -> None:
    job = await harness.submit()
    message = await harness.draft()
    await harness.close()
    harness.painter.cue()
    async with harness.running(Pacer()):
        await harness.delivered(job.id)
        assert harness.spoken() == [message]
        assert harness.colors(message)[-1] == "gold"


async def test_a_photo_that_was_taken_for_a_text_is_found_out(harness: ReporterHarness) -> None:
    job = await harness.submit()
    message = await harness.draft()
    await harness.job_service.drain(5)
    await harness.reporter.close()
    # The process ended between an edit and the note of it.
    shown = StatusMessageId(message.id, has_picture=False)
    await harness.store.repository.set_status_message(job, shown)
    await harness.close()
    harness.painter.draws_drafts = False
    async with harness.running(Pacer()):
        harness.painter.cue(1)
        await eventually(lambda: "1 / 4" in message.text)
        assert harness.spoken() == [message]
        harness.painter.cue()
        await harness.delivered(job.id)


async def test_the_admin_hears_of_a_job_that_was_set_aside(harness: ReporterHarness) -> None:
    job = await harness.submit()
    await harness.draft()
    fallen = replace(job, state=JobState.SET_ASIDE, attempts=3)
    await harness.reporter.failed(fallen, Failure.CRASHED_TOO_OFTEN)
    warning = await harness.message(harness.ben.chat, says="set aside")
    assert f"Job {job.id}" in warning.text
    assert "tried several times" in (await harness.message()).text
    harness.painter.cue()


async def test_the_admin_hears_of_it_though_its_owner_has_gone(harness: ReporterHarness) -> None:
    job = await harness.submit()
    await harness.draft()
    harness.anna.block()
    fallen = replace(job, state=JobState.SET_ASIDE, attempts=3)
    with pytest.raises(RecipientGone):
        await harness.reporter.failed(fallen, Failure.CRASHED_TOO_OFTEN)
    # By now, not some time later: with this answer the job service notes that everybody was told.
    assert "set aside" in harness.spoken(harness.ben.chat)[-1].text


async def test_an_admin_who_can_not_be_warned_is_a_line_in_the_log(
    harness: ReporterHarness, caplog: pytest.LogCaptureFixture
) -> None:
    job = await harness.submit()
    await harness.draft()
    harness.ben.block()
    fallen = replace(job, state=JobState.SET_ASIDE, attempts=3)
    await harness.reporter.failed(fallen, Failure.CRASHED_TOO_OFTEN)
    assert "an admin could not be warned" in caplog.text
    harness.painter.cue()


@pytest.mark.parametrize(
    ("state", "words"), [(WorkerState.LOST, "was lost in job"), (WorkerState.HUNG, "hangs in job")]
)
@pytest.mark.parametrize("returns", [False, True])
async def test_the_admin_hears_of_a_device_that_paints_no_more(
    harness: ReporterHarness, state: WorkerState, words: str, returns: bool
) -> None:
    job = await harness.submit()
    await harness.draft()
    harness.reporter.worker_ended(job, "cuda:1", state, workers_left=2, returns=returns)
    says = "by itself" if returns else "until the bot is restarted"
    warning = await harness.message(harness.ben.chat, says=says)
    assert f"cuda:1 {words} {job.id}" in warning.text
    assert "left: 2" in warning.text
    harness.painter.cue()


async def test_while_nobody_is_there_to_paint_everyone_reads_so_and_admins_hear_of_it_once(
    harness: ReporterHarness,
) -> None:
    job = await harness.submit()
    await harness.draft()
    (waiting,) = await harness.job_service.submit(harness.request(origin="second"))
    message = await harness.message(says="Your place in the queue: 1")
    harness.reporter.painting_paused()
    harness.reporter.waiting(waiting, 1, 10.0)
    await eventually(lambda: "The machines that paint are away right now" in message.text)
    assert "Ready in" not in message.text
    await harness.message(harness.ben.chat, says="All machines that paint are away")
    harness.reporter.painting_resumed("10.0.0.2/cuda:0")
    harness.reporter.waiting(waiting, 1, 10.0)
    await eventually(lambda: "Ready in" in message.text and "away" not in message.text)
    await harness.message(harness.ben.chat, says="10.0.0.2/cuda:0 is there: painting goes on")
    assert await harness.job_service.cancel(job.id, job.request.user_id)


async def test_one_bad_photo_of_an_album_is_told_beside_the_others(
    harness: ReporterHarness,
) -> None:
    requests = [harness.request(origin=f"album:{n}", album="a", album_size=2) for n in range(2)]
    jobs = await harness.job_service.submit(*requests)
    message = await harness.message(says="Photo 1 of 2")
    harness.painter.error = OutOfMemoryError("it does not fit")
    harness.painter.cue()
    news = await harness.message(says="too large")
    harness.painter.error = None
    assert news is not message
    await eventually(lambda: "Photo 2 of 2" in message.text)
    harness.painter.cue()
    await harness.delivered(jobs[1].id)
    assert harness.colors(message)[-1] == "gold"


async def test_an_album_comes_back_as_one(harness: ReporterHarness) -> None:
    requests = [harness.request(origin=f"album:{n}", album="a", album_size=3) for n in range(3)]
    jobs = await harness.job_service.submit(*requests)
    message = await harness.message(says="Photo 1 of 3")
    harness.painter.cue()
    await harness.message(says="Photo 2 of 3")
    assert harness.spoken() == [message]
    harness.painter.cue(2 * STEPS)
    for job in jobs:
        await harness.delivered(job.id)
    await eventually(lambda: message not in harness.spoken())
    *album, offer = harness.spoken()
    assert len(album) == 3
    for job, shown in zip(jobs, album, strict=True):
        delivered = await harness.delivered(job.id)
        assert delivered.result_message_id == shown.id
        assert delivered.result_file_id == shown.content["photo"][-1]["file_id"]
    assert len({part.media_group_id for part in album}) == 1
    assert offer.buttons


async def test_an_album_goes_on_without_a_cancelled_photo(harness: ReporterHarness) -> None:
    requests = [harness.request(origin=f"album:{n}", album="a", album_size=3) for n in range(3)]
    jobs = await harness.job_service.submit(*requests)
    await harness.message(says="Photo 1 of 3")
    await harness.job_service.cancel(jobs[0].id, harness.anna.user.id)
    await harness.message(says="Photo 2 of 3")
    harness.painter.cue(2 * STEPS)
    await harness.delivered(jobs[2].id)
    await eventually(
        lambda: [bool(m.media_group_id) for m in harness.spoken()] == [True, True, False]
    )
