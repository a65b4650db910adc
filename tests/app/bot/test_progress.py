from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from app.bot.pacing import Pacer
from app.bot.progress import Pace
from app.jobs.job import Delivery, Failure, JobState
from app.jobs.ports import RecipientGone
from app.sandbox.errors import bad_request
from app.sandbox.world import Message
from models.interface import Note, OutOfMemoryError
from tests.app.bot.stage import GROUP_ID, STEPS, Stage, eventually

SLOW = Pace(private_s=0.6, group_s=1.2)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with Stage.open(tmp_path) as opened:
        yield opened


@pytest.fixture
async def slow_stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with Stage.open(tmp_path, pace=SLOW) as opened:
        yield opened


def buttons(message: Message) -> list[str]:
    return [button["text"] for button in message.buttons]


async def test_one_message_from_the_first_word_to_the_result(stage: Stage) -> None:
    job = await stage.submit()
    message = await stage.draft()
    assert stage.colors(message) == ["navy"]
    assert "Left: ~40 seconds" in message.text
    assert len(message.buttons) == 2
    for step in range(1, STEPS):
        stage.painter.cue(1)
        await stage.message(says=f"{step} / 4")
    stage.painter.cue(1)
    await stage.delivered(job.id)
    assert stage.spoken() == [message]
    assert stage.colors(message) == ["navy", "teal", "olive", "maroon", "gold"]
    assert message.text == "Ready ✨"
    assert len(message.buttons) > 5


async def test_the_place_in_the_queue_is_true(stage: Stage) -> None:
    await stage.submit()
    await stage.draft()
    await stage.submit(stage.ben)
    await stage.submit(stage.ben)
    stage.painter.cue(2)
    await stage.message(stage.ben.chat, says="queue: 2")
    first, second = stage.spoken(stage.ben.chat)
    assert "queue: 1" in first.text
    assert "Ready in" in first.text
    stage.painter.cue(2)
    await eventually(lambda: "queue: 1" in second.text)
    await eventually(lambda: "/ 4" in first.text)
    stage.painter.cue(20)


async def test_russian_plurals(stage: Stage) -> None:
    await stage.submit(language="ru")
    await stage.message(says="Осталось: ~40 секунд")
    stage.painter.cue()


async def test_edits_keep_the_pace_and_show_the_latest(slow_stage: Stage) -> None:
    job = await slow_stage.submit()
    for _ in range(STEPS):
        await asyncio.sleep(0.4)
        slow_stage.painter.cue(1)
    await slow_stage.delivered(job.id)
    edits = sorted(slow_stage.times("editMessageMedia") + slow_stage.times("editMessageCaption"))
    pauses = [after - before for before, after in pairwise(edits[:-1])]
    assert pauses
    assert min(pauses) >= SLOW.private_s - 0.05
    assert slow_stage.colors(await slow_stage.message())[-1] == "gold"


async def test_groups_are_edited_more_rarely_and_answered(slow_stage: Stage) -> None:
    group = slow_stage.sandbox.world.open_group(GROUP_ID, "Friends")
    asked = slow_stage.anna.write("/style", chat=group)
    job = await slow_stage.submit(chat_id=GROUP_ID, reply_to=asked.id)
    for _ in range(STEPS):
        await asyncio.sleep(0.5)
        slow_stage.painter.cue(1)
    await slow_stage.delivered(job.id)
    message = await slow_stage.message(group)
    assert message.reply_to is asked
    edits = sorted(slow_stage.times("editMessageMedia") + slow_stage.times("editMessageCaption"))
    pauses = [after - before for before, after in pairwise(edits[:-1])]
    assert all(pause >= SLOW.group_s - 0.05 for pause in pauses)


async def test_stop_delivers_what_is_there(stage: Stage) -> None:
    job = await stage.submit()
    stage.painter.cue(2)
    await stage.message(says="2 / 4")
    assert await stage.studio.stop(job.id, stage.anna.user.id)
    await stage.delivered(job.id)
    message = await stage.message(says="Stopped")
    assert stage.colors(message)[-1] == "olive"


@pytest.mark.parametrize("note", [Note.SHRUNK, Note.DIVERGED])
async def test_notes_stand_in_the_caption(stage: Stage, note: Note) -> None:
    stage.painter.notes = frozenset({note})
    stage.painter.cue()
    job = await stage.submit()
    await stage.delivered(job.id)
    message = await stage.message(says="Ready")
    assert len(message.text.splitlines()) == 2


async def test_cancel_of_a_waiting_job_leaves_one_line(stage: Stage) -> None:
    await stage.submit()
    waiting = await stage.submit(stage.ben)
    message = await stage.message(stage.ben.chat, says="queue")
    assert await stage.studio.cancel(waiting.id, stage.ben.user.id)
    await eventually(lambda: message.text.startswith("Cancelled"))
    assert not message.buttons
    stage.painter.cue(20)


async def test_cancel_takes_the_half_painted_picture_away(stage: Stage) -> None:
    job = await stage.submit()
    await stage.draft()
    assert await stage.studio.cancel(job.id, stage.anna.user.id)
    await eventually(lambda: not stage.spoken())


async def test_a_file_comes_as_it_is(stage: Stage) -> None:
    stage.painter.cue()
    job = await stage.submit(delivery=Delivery.FILE)
    await stage.delivered(job.id)
    message = await stage.message(says="Ready")
    assert message.content["document"]["file_name"] == f"painting-{job.id}.png"
    assert stage.spoken() == [message]
    finished = await stage.studio.get(job.id)
    stored = stage.sandbox.world.files.get(message.content["document"]["file_id"])
    assert finished is not None
    assert finished.result is not None
    assert stored is not None
    assert stored.data == finished.result.read_bytes()


async def test_a_failed_job_says_why(stage: Stage) -> None:
    stage.painter.error = OutOfMemoryError("it does not fit")
    await stage.submit()
    message = await stage.draft()
    stage.painter.cue()
    await eventually(lambda: "too large" in message.text)
    assert not message.buttons


async def test_silence_is_kept_and_the_result_still_arrives(stage: Stage) -> None:
    job = await stage.submit()
    await stage.draft()
    stage.sandbox.faults.too_many_requests("editMessageMedia", retry_after_s=1)
    stage.painter.cue(1)
    await eventually(lambda: stage.times("editMessageMedia", ok=False))
    stage.painter.cue(STEPS - 1)
    await stage.delivered(job.id)
    (refused_at,) = stage.times("editMessageMedia", ok=False)
    later = [at for at in stage.times("editMessageMedia") if at > refused_at]
    assert len(later) == 1
    assert later[0] >= refused_at + 0.95
    assert stage.colors(await stage.message()) == ["navy", "gold"]


async def test_a_long_silence_is_waited_out_by_the_queue(tmp_path: Path) -> None:
    async with Stage.open(tmp_path, patience_s=0.2) as stage:
        job = await stage.submit()
        await stage.draft()
        stage.sandbox.faults.too_many_requests("editMessageMedia", retry_after_s=1)
        stage.painter.cue()
        await stage.delivered(job.id)
        assert stage.colors(await stage.message())[-1] == "gold"
        assert len(stage.spoken()) == 1


@pytest.mark.parametrize("after_effect", [False, True])
async def test_a_broken_connection_neither_loses_nor_doubles(
    stage: Stage, after_effect: bool
) -> None:
    stage.sandbox.faults.drop("editMessageMedia", after_effect=after_effect, times=2)
    stage.painter.cue()
    job = await stage.submit()
    await stage.delivered(job.id)
    assert len(stage.spoken()) == 1
    assert stage.colors(await stage.message())[-1] == "gold"


async def test_server_errors_pass(stage: Stage) -> None:
    stage.sandbox.faults.server_error("editMessageMedia", times=3)
    stage.sandbox.faults.server_error("sendMessage", times=1)
    stage.painter.cue()
    job = await stage.submit()
    await stage.delivered(job.id)
    assert len(stage.spoken()) == 1


async def test_not_modified_is_no_error(stage: Stage) -> None:
    job = await stage.submit()
    await stage.draft()
    stage.sandbox.faults.refuse("editMessageMedia", bad_request("message is not modified: x"))
    stage.painter.cue()
    await stage.delivered(job.id)
    assert len(stage.spoken()) == 1


async def test_a_message_that_was_deleted_is_replaced(stage: Stage) -> None:
    job = await stage.submit()
    message = await stage.draft()
    stage.sandbox.world.remove(message)
    stage.painter.cue()
    await stage.delivered(job.id)
    (new,) = stage.spoken()
    assert new is not message
    assert stage.colors(new)[-1] == "gold"


async def test_a_photo_that_telegram_refuses_goes_as_a_file(stage: Stage) -> None:
    job = await stage.submit()
    await stage.draft()
    stage.sandbox.faults.refuse(
        "editMessageMedia", bad_request("PHOTO_INVALID_DIMENSIONS"), times=1
    )
    stage.painter.cue()
    await stage.delivered(job.id)
    assert "document" in (await stage.message(says="Ready")).content


async def test_the_final_edit_comes_after_one_in_flight(stage: Stage) -> None:
    job = await stage.submit()
    await stage.draft()
    stall = stage.sandbox.faults.stall("editMessageMedia", seconds=0.4)
    stage.painter.cue(1)
    await eventually(lambda: stall.met)
    stage.painter.cue(STEPS - 1)
    await stage.delivered(job.id)
    assert stage.colors(await stage.message())[-1] == "gold"


async def test_an_edit_that_hangs_does_not_hold_the_end_up(stage: Stage) -> None:
    await stage.submit()
    await stage.draft()
    stall = stage.sandbox.faults.stall("editMessageMedia", seconds=60)
    stage.painter.cue(1)
    await eventually(lambda: stall.met)
    async with asyncio.timeout(20):
        await stage.reporter.close(timeout_s=0.1)


async def test_who_blocks_the_bot_frees_the_card(stage: Stage) -> None:
    job = await stage.submit()
    await stage.draft()
    other = await stage.submit(stage.ben)
    stage.anna.block()
    stage.painter.cue(1)
    await stage.draft(stage.ben.chat)
    cancelled = await stage.studio.get(job.id)
    assert cancelled is not None
    assert cancelled.state is JobState.CANCELLED
    stage.painter.cue(20)
    await stage.delivered(other.id)


async def test_after_a_restart_the_same_message_becomes_the_result(stage: Stage) -> None:
    job = await stage.submit()
    message = await stage.draft()
    await stage.studio.drain(5)
    await stage.reporter.close()
    await stage.studio.close()
    stage.painter.cue()
    async with stage.running(Pacer()):
        await stage.delivered(job.id)
        assert stage.spoken() == [message]
        assert stage.colors(message)[-1] == "gold"


async def test_a_photo_that_was_taken_for_a_text_is_found_out(stage: Stage) -> None:
    job = await stage.submit()
    message = await stage.draft()
    await stage.studio.drain(5)
    await stage.reporter.close()
    # The process ended between an edit and the note of it.
    await stage.studio.set_status_message(job.id, message.id, has_picture=False)
    await stage.studio.close()
    stage.painter.draws_drafts = False
    async with stage.running(Pacer()):
        stage.painter.cue(1)
        await eventually(lambda: "1 / 4" in message.text)
        assert stage.spoken() == [message]
        stage.painter.cue()
        await stage.delivered(job.id)


async def test_the_admin_hears_of_a_job_that_was_set_aside(stage: Stage) -> None:
    job = await stage.submit()
    await stage.draft()
    fallen = replace(job, state=JobState.SET_ASIDE, attempts=3)
    await stage.reporter.failed(fallen, Failure.CRASHED_TOO_OFTEN)
    warning = await stage.message(stage.ben.chat, says="set aside")
    assert f"Job {job.id}" in warning.text
    assert "tried several times" in (await stage.message()).text
    stage.painter.cue()


async def test_the_admin_hears_of_it_though_its_owner_has_gone(stage: Stage) -> None:
    job = await stage.submit()
    await stage.draft()
    stage.anna.block()
    fallen = replace(job, state=JobState.SET_ASIDE, attempts=3)
    with pytest.raises(RecipientGone):
        await stage.reporter.failed(fallen, Failure.CRASHED_TOO_OFTEN)
    # By now, not some time later: with this answer the studio notes that everybody was told.
    assert "set aside" in stage.spoken(stage.ben.chat)[-1].text


async def test_an_admin_who_can_not_be_warned_is_a_line_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    job = await stage.submit()
    await stage.draft()
    stage.ben.block()
    fallen = replace(job, state=JobState.SET_ASIDE, attempts=3)
    await stage.reporter.failed(fallen, Failure.CRASHED_TOO_OFTEN)
    assert "an admin could not be warned" in caplog.text
    stage.painter.cue()


async def test_one_bad_photo_of_an_album_is_told_beside_the_others(stage: Stage) -> None:
    requests = [stage.request(origin=f"album:{n}", album="a", album_size=2) for n in range(2)]
    jobs = await stage.studio.submit(*requests)
    card = await stage.message(says="Photo 1 of 2")
    stage.painter.error = OutOfMemoryError("it does not fit")
    stage.painter.cue()
    news = await stage.message(says="too large")
    stage.painter.error = None
    assert news is not card
    await eventually(lambda: "Photo 2 of 2" in card.text)
    stage.painter.cue()
    await stage.delivered(jobs[1].id)
    assert stage.colors(card)[-1] == "gold"


async def test_an_album_comes_back_as_one(stage: Stage) -> None:
    requests = [stage.request(origin=f"album:{n}", album="a", album_size=3) for n in range(3)]
    jobs = await stage.studio.submit(*requests)
    message = await stage.message(says="Photo 1 of 3")
    stage.painter.cue()
    await stage.message(says="Photo 2 of 3")
    assert stage.spoken() == [message]
    stage.painter.cue(2 * STEPS)
    for job in jobs:
        await stage.delivered(job.id)
    await eventually(lambda: message not in stage.spoken())
    *album, offer = stage.spoken()
    assert len(album) == 3
    assert len({part.media_group_id for part in album}) == 1
    assert offer.buttons


async def test_an_album_goes_on_without_a_cancelled_photo(stage: Stage) -> None:
    requests = [stage.request(origin=f"album:{n}", album="a", album_size=3) for n in range(3)]
    jobs = await stage.studio.submit(*requests)
    await stage.message(says="Photo 1 of 3")
    await stage.studio.cancel(jobs[0].id, stage.anna.user.id)
    await stage.message(says="Photo 2 of 3")
    stage.painter.cue(2 * STEPS)
    await stage.delivered(jobs[2].id)
    await eventually(
        lambda: [bool(m.media_group_id) for m in stage.spoken()] == [True, True, False]
    )
