"""Deleting a result: its message, its files, and what nobody else needs of its photo."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import ImageStat

from app.sandbox.errors import bad_request
from app.sandbox.world import Message
from styles.catalog import default_catalog
from tests.app.bot.application_harness import ApplicationHarness, open_harness
from tests.e2e.actor import Actor
from tests.e2e.pictures import photo

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST, SECOND, *_ = (preset.name("en") for preset in default_catalog().presets())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ApplicationHarness]:
    async with open_harness(tmp_path_factory.mktemp("data")) as harness, harness.running():
        yield harness


@pytest.fixture
def ben(harness: ApplicationHarness) -> Actor:
    return harness.new_person()


def files_of(harness: ApplicationHarness, person: Actor) -> tuple[set[Path], set[Path]]:
    """The person's photos, and everybody's results."""
    data = harness.settings.data_dir
    originals = set((data / "originals" / str(person.id)).glob("*"))
    return originals, set((data / "results").glob("*"))


async def result(actor: Actor) -> Message:
    await actor.sends_photo(photo(1))
    await actor.presses("Choose a ready style")
    await actor.presses(FIRST)
    return await delivered(actor)


async def delivered(actor: Actor) -> Message:
    """The next result, once the bot knows that it has arrived."""
    message = await actor.sees_result()
    await actor.waits_until_idle()
    return message


async def gone(actor: Actor, *messages: Message) -> None:
    await actor.until(
        lambda: not any(message in actor.received for message in messages),
        awaited="the messages to go",
    )


async def test_the_result_its_message_and_its_files_go(
    harness: ApplicationHarness, ben: Actor
) -> None:
    _, before = files_of(harness, ben)
    painted = await result(ben)
    originals, results = files_of(harness, ben)
    assert len(originals) == 1
    assert len(results - before) == 1
    query = await ben.presses("Delete", on=painted)
    assert query.answer is not None
    assert query.answer["text"] == "Deleted."
    assert files_of(harness, ben) == (set(), before)
    await gone(ben, painted)


@pytest.mark.parametrize("label", ["Weaker", "Other style"])
async def test_what_was_deleted_is_no_longer_remembered(ben: Actor, label: str) -> None:
    painted = await result(ben)
    other = next(b["callback_data"] for b in painted.buttons if label in b["text"])
    await ben.presses("Delete", on=painted)
    for data in (other, other.replace("again:weaker", "more:1").replace("again:style", "more:0")):
        query = ben.person.press(painted, data)
        await ben.until(lambda query=query: query.answer, awaited="an answer")  # type: ignore[misc]
        assert query.answer is not None
        assert "no longer remember" in query.answer["text"]


async def test_a_second_press_is_answered_too(ben: Actor) -> None:
    painted = await result(ben)
    await ben.presses("More", on=painted)
    await ben.finds(painted, "Delete")
    queries = ben.hammers(painted, "Delete", times=2)
    await ben.until(lambda: all(query.answer for query in queries), awaited="two answers")
    await gone(ben, painted)


async def test_a_photo_stays_for_as_long_as_another_result_needs_it(
    harness: ApplicationHarness, ben: Actor
) -> None:
    first = await result(ben)
    await ben.presses("Stronger", on=first)
    second = await delivered(ben)
    await ben.presses("Delete", on=first)
    assert len(files_of(harness, ben)[0]) == 1
    await ben.presses("Stronger", on=second)
    third = await delivered(ben)
    await ben.presses("Delete", on=second)
    await ben.presses("Delete", on=third)
    assert files_of(harness, ben)[0] == set()


async def test_a_photo_stays_for_an_order_that_is_not_painted_yet(ben: Actor) -> None:
    painted = await result(ben)
    await ben.presses("Other style", on=painted)
    await ben.sees("I have your photo")
    await ben.presses("Delete", on=painted)
    await ben.presses(SECOND)
    await ben.sees_result()


async def test_what_was_deleted_can_be_painted_again(ben: Actor) -> None:
    first = await result(ben)
    await ben.presses("Stronger", on=first)
    await ben.presses("Delete", on=await delivered(ben))
    query = await ben.presses("Stronger", on=first)
    assert query.answer is not None
    assert "once more" in query.answer["text"]
    await ben.sees_result()


async def test_of_an_album_all_goes(harness: ApplicationHarness, ben: Actor) -> None:
    _, before = files_of(harness, ben)
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses(FIRST)
    await ben.sends_photos(*[photo(number) for number in range(3)])
    offer = await ben.sees("All of them once more")
    await ben.waits_until_idle()
    album = [message for message in ben.received if message.media_group_id is not None]
    assert len(album) == 3
    await ben.presses("Delete", on=offer)
    await gone(ben, offer, *album)
    assert files_of(harness, ben) == (set(), before)


async def test_nobody_else_can_delete_it(harness: ApplicationHarness, ben: Actor) -> None:
    painted = await result(ben)
    await ben.presses("More", on=painted)
    await ben.finds(painted, "Delete")
    query = await harness.new_person("Eve").presses("Delete", on=painted)
    assert query.answer is not None
    assert "the one who asked" in query.answer["text"]
    assert painted in ben.received
    assert len(files_of(harness, ben)[0]) == 1


async def test_a_message_too_old_to_be_deleted_loses_its_picture(
    harness: ApplicationHarness, ben: Actor
) -> None:
    painted = await result(ben)
    shown = painted.content["photo"]
    for method in ("deleteMessages", "deleteMessage"):
        harness.sandbox.faults.refuse(
            method, bad_request("message can't be deleted for everyone"), chat_id=ben.id
        )
    await ben.presses("Delete", on=painted)
    await ben.reads(painted, "Deleted")
    assert painted.content["photo"] != shown
    assert not painted.buttons
    picture = await asyncio.to_thread(ben.picture, painted)
    assert ImageStat.Stat(picture.convert("L")).extrema[0][0] > 200
