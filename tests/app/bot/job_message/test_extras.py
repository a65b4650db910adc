"""What is made of a result beside it: before and after, the film."""

from __future__ import annotations

import asyncio
import io
import shutil
import threading
from collections.abc import AsyncIterator

import av
import pytest
import pytest_asyncio
from aiogram.types import MediaUnion

from app.bot.job_message.extras import MAKERS, Extra
from app.jobs.model import Job
from app.sandbox.errors import bad_request
from app.sandbox.world import Message
from styles.catalog import default_catalog
from tests.app.bot.application_harness import ApplicationHarness, open_harness
from tests.app.jobs.stub_stylizers import Inverter
from tests.e2e.actor import Actor, has_label
from tests.e2e.pictures import photo

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST = default_catalog().presets()[0].name("en")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ApplicationHarness]:
    async with open_harness(tmp_path_factory.mktemp("data")) as harness:
        harness.stylizer = Inverter(shows=True)
        async with harness.running():
            yield harness


@pytest.fixture
def ben(harness: ApplicationHarness) -> Actor:
    return harness.new_person()


async def result(actor: Actor) -> Message:
    await actor.sends_photo(photo(1, (120, 90)))
    await actor.presses("Choose a ready style")
    await actor.presses(FIRST)
    return await actor.sees_result()


async def album(actor: Actor) -> Message:
    await actor.sends("/style")
    await actor.presses("Yes")
    await actor.presses(FIRST)
    await actor.sends_photos(*[photo(number) for number in range(3)])
    return await actor.sees("All of them once more")


def replies(actor: Actor, to: Message) -> list[Message]:
    return [message for message in actor.received if message.reply_to is to]


async def reply(actor: Actor, to: Message, *, count: int = 1) -> Message:
    def found() -> Message | None:
        there = replies(actor, to)
        return there[-1] if len(there) >= count else None

    return await actor.until(found, awaited="a reply to the result")


async def test_before_and_after_comes_as_one_photo(ben: Actor) -> None:
    painted = await result(ben)
    await ben.presses("Before / after", on=painted)
    shown = await reply(ben, painted)
    both, alone = ben.picture(shown), ben.picture(painted)
    assert "photo" in shown.content
    assert not shown.buttons
    assert both.height == alone.height
    assert both.width > 2 * alone.width
    await ben.presses("Before / after", on=painted)
    await reply(ben, painted, count=2)


async def test_of_an_album_they_come_as_an_album(ben: Actor) -> None:
    offer = await album(ben)
    await ben.presses("Before / after", on=offer)
    await reply(ben, offer, count=3)
    groups = {message.media_group_id for message in replies(ben, offer)}
    assert len(groups) == 1
    assert None not in groups


async def test_while_one_is_made_the_conversation_goes_on_and_no_second_begins(
    ben: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted = await result(ben)
    gate = threading.Event()
    make = MAKERS[Extra.COMPARISON]

    def slowly(job: Job) -> MediaUnion:
        gate.wait(30)
        return make(job)

    monkeypatch.setitem(MAKERS, Extra.COMPARISON, slowly)
    try:
        await ben.presses("Before / after", on=painted)
        second = await ben.presses("Before / after", on=painted)
        assert second.answer is not None
        assert "already" in second.answer["text"]
        await ben.waits_until_idle()
    finally:
        gate.set()
    await reply(ben, painted)
    await ben.waits_until_idle()
    assert len(replies(ben, painted)) == 1


async def test_the_film_comes_as_a_video(harness: ApplicationHarness, ben: Actor) -> None:
    painted = await result(ben)
    await ben.presses("Film", on=painted)
    shown = await reply(ben, painted)
    video = shown.content["video"]
    assert (video["width"], video["height"]) == (96, 72)
    assert 3 <= video["duration"] <= 10
    stored = harness.sandbox.world.files.get(video["file_id"])
    assert stored is not None
    with av.open(io.BytesIO(stored.data)) as container:
        assert [stream.type for stream in container.streams] == ["video"]


async def test_films_of_an_album_come_as_an_album(ben: Actor) -> None:
    offer = await album(ben)
    await ben.presses("Film", on=offer)
    await reply(ben, offer, count=3)
    assert all("video" in message.content for message in replies(ben, offer))
    assert len({message.media_group_id for message in replies(ben, offer)}) == 1


async def test_a_film_does_without_its_photo(harness: ApplicationHarness, ben: Actor) -> None:
    painted = await result(ben)
    folder = harness.settings.data_dir / "originals" / str(ben.id)
    await asyncio.to_thread(shutil.rmtree, folder)
    await ben.presses("Film", on=painted)
    assert "video" in (await reply(ben, painted)).content


async def test_where_nothing_was_kept_of_it_there_is_no_film(
    harness: ApplicationHarness, ben: Actor
) -> None:
    assert isinstance(harness.stylizer, Inverter)
    harness.stylizer.shows = False
    try:
        painted = await result(ben)
    finally:
        harness.stylizer.shows = True
    await ben.presses("More", on=painted)
    await ben.finds(painted, "Before / after")
    assert not has_label(painted, "Film")


async def test_frames_go_with_the_result(harness: ApplicationHarness, ben: Actor) -> None:
    results = harness.settings.data_dir / "results"
    before = set(results.iterdir())
    painted = await result(ben)
    await ben.waits_until_idle()
    assert len(set(results.iterdir()) - before) == 2
    await ben.presses("Delete", on=painted)
    assert set(results.iterdir()) == before


async def test_a_film_that_fails_is_one_sentence(harness: ApplicationHarness, ben: Actor) -> None:
    results = harness.settings.data_dir / "results"
    before = set(results.glob("*.zip"))
    painted = await result(ben)
    (frames,) = set(results.glob("*.zip")) - before
    frames.write_bytes(b"no frames")
    await ben.presses("Film", on=painted)
    assert "The painting stays" in (await reply(ben, painted)).text
    frames.unlink()
    query = await ben.presses("Film", on=painted)
    assert query.answer is not None
    assert "did not keep" in query.answer["text"]


async def test_what_is_deleted_meanwhile_does_not_come_back(
    harness: ApplicationHarness, ben: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted = await result(ben)
    await ben.waits_until_idle()
    gate = threading.Event()
    make = MAKERS[Extra.COMPARISON]

    def slowly(job: Job) -> MediaUnion:
        media = make(job)
        gate.wait(30)
        return media

    monkeypatch.setitem(MAKERS, Extra.COMPARISON, slowly)
    try:
        await ben.presses("Before / after", on=painted)
        await ben.presses("Delete", on=painted)
        await ben.until(lambda: painted not in ben.received, awaited="the message to go")
        before = harness.calls("sendPhoto")
    finally:
        gate.set()
    await ben.sends_photo(photo(2))
    other = await ben.sees_result()
    await ben.presses("Film", on=other)  # one is made after the other
    await reply(ben, other)
    assert harness.calls("sendPhoto") == before


async def test_a_photo_that_is_gone_is_one_sentence(
    harness: ApplicationHarness, ben: Actor
) -> None:
    painted = await result(ben)
    folder = harness.settings.data_dir / "originals" / str(ben.id)
    await asyncio.to_thread(shutil.rmtree, folder)
    query = await ben.presses("Before / after", on=painted)
    assert query.answer is not None
    assert "gone" in query.answer["text"]
    assert replies(ben, painted) == []


async def test_what_can_not_be_sent_is_one_sentence_and_the_painting_stays(
    harness: ApplicationHarness, ben: Actor
) -> None:
    painted = await result(ben)
    harness.sandbox.faults.refuse("sendPhoto", bad_request("IMAGE_PROCESS_FAILED"), chat_id=ben.id)
    await ben.presses("Before / after", on=painted)
    sorry = await reply(ben, painted)
    assert "The painting stays" in sorry.text
    assert painted in ben.received
