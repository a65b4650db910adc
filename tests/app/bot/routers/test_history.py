"""/history: the last pictures as an album, and each of them once more with its buttons."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.sandbox.errors import bad_request
from app.sandbox.world import Message
from styles.catalog import default_catalog
from tests.app.bot.application_harness import ApplicationHarness, open_harness
from tests.e2e.actor import Actor, is_result
from tests.e2e.pictures import photo

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = [preset.name("en") for preset in default_catalog().presets()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ApplicationHarness]:
    async with open_harness(tmp_path_factory.mktemp("data")) as harness, harness.running():
        yield harness


@pytest.fixture
def ben(harness: ApplicationHarness) -> Actor:
    return harness.new_person()


async def painted_in(actor: Actor, *names: str) -> list[Message]:
    painted = []
    for number, name in enumerate(names):
        await actor.sends("/style")
        await actor.presses("Yes")
        await actor.presses(name)
        await actor.sends_photo(photo(number, (120 + 20 * number, 90)))
        painted.append(await actor.sees_result())
    await actor.waits_until_idle()  # what is seen is noted as delivered a moment later
    return painted


def albums(actor: Actor) -> list[list[Message]]:
    groups = dict.fromkeys(m.media_group_id for m in actor.received if m.media_group_id)
    return [[m for m in actor.received if m.media_group_id == group] for group in groups]


def menus(actor: Actor) -> list[Message]:
    """What has buttons and is no result."""
    return [message for message in actor.received if message.buttons and not is_result(message)]


def file_id(message: Message) -> str:
    return str(message.content["photo"][-1]["file_id"])


async def test_the_last_pictures_come_as_an_album_with_one_message_of_numbers(ben: Actor) -> None:
    first, second = await painted_in(ben, *NAMES[:2])
    before = len(ben.received)
    await ben.sends("/history")
    menu = await ben.sees("Your last pictures")
    (album,) = albums(ben)
    assert [file_id(message) for message in album] == [file_id(second), file_id(first)]
    assert [message.text for message in album] == [f"1. {NAMES[1]}", f"2. {NAMES[0]}"]
    assert [button["text"] for button in menu.buttons] == ["1", "2"]
    assert menu.id > album[-1].id
    assert len(ben.received) == before + 3
    assert menus(ben) == [menu]


@pytest.mark.parametrize(("count", "rows"), [(5, [5]), (6, [3, 3]), (7, [4, 3])])
async def test_the_numbers_stand_in_rows_of_about_one_length(
    ben: Actor, count: int, rows: list[int]
) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses(NAMES[0])
    await ben.sends_photos(*[photo(number) for number in range(count)])
    await ben.sees("All of them once more")
    await ben.waits_until_idle()
    await ben.sends("/history")
    menu = await ben.sees("Your last pictures")
    keyboard = (menu.reply_markup or {})["inline_keyboard"]
    assert [len(row) for row in keyboard] == rows


async def test_a_number_sends_that_picture_again_with_its_buttons(ben: Actor) -> None:
    first, _second = await painted_in(ben, *NAMES[:2])
    await ben.sends("/history")
    menu = await ben.sees("Your last pictures")
    await ben.presses("2", on=menu)
    again = await ben.sees_result()
    assert file_id(again) == file_id(first)
    assert again.text == first.text
    await ben.presses("Stronger", on=again)
    await ben.sees_result()
    await ben.presses("1", on=menu)
    await ben.sees_result()
    assert menus(ben) == [menu]


async def test_asked_twice_there_is_one_menu_and_it_stands_below(ben: Actor) -> None:
    await painted_in(ben, *NAMES[:2])
    await ben.sends("/history")
    await ben.sends("/history")
    await ben.until(lambda: len(albums(ben)) == 2, awaited="two albums")
    await ben.until(
        lambda: [m.id > albums(ben)[-1][-1].id for m in menus(ben)] == [True], awaited="one menu"
    )


async def test_one_picture_comes_with_its_buttons_at_once(ben: Actor) -> None:
    (painted,) = await painted_in(ben, NAMES[0])
    await ben.sends("/history")
    again = await ben.sees_result()
    assert file_id(again) == file_id(painted)
    assert menus(ben) == []


async def test_what_came_as_a_file_is_shown_as_a_photo(ben: Actor) -> None:
    (painted,) = await painted_in(ben, NAMES[0])
    await ben.presses("HD", on=painted)
    assert "document" in (await ben.sees_result()).content
    await ben.waits_until_idle()
    await ben.sends("/history")
    await ben.sees("Your last pictures")
    (album,) = albums(ben)
    assert all("photo" in message.content for message in album)


async def test_where_telegram_has_lost_its_copy_the_file_is_sent(
    harness: ApplicationHarness, ben: Actor
) -> None:
    painted = await painted_in(ben, *NAMES[:2])
    harness.sandbox.faults.refuse(
        "sendMediaGroup", bad_request("wrong file identifier/HTTP URL specified"), chat_id=ben.id
    )
    await ben.sends("/history")
    await ben.sees("Your last pictures")
    (album,) = albums(ben)
    assert not {file_id(m) for m in album} & {file_id(m) for m in painted}


async def test_only_what_is_still_kept_and_not_deleted_is_shown(
    harness: ApplicationHarness, ben: Actor
) -> None:
    results = harness.settings.data_dir / "results"
    before = set(results.glob("*"))
    await painted_in(ben, NAMES[0])
    (gone,) = set(results.glob("*")) - before
    second, *_ = await painted_in(ben, *NAMES[1:4])
    await asyncio.to_thread(gone.unlink)
    await ben.presses("Delete", on=second)
    await ben.sends("/history")
    await ben.sees("Your last pictures")
    (album,) = albums(ben)
    assert [message.text for message in album] == [f"1. {NAMES[3]}", f"2. {NAMES[2]}"]


async def test_one_of_an_album_is_about_itself_alone(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses(NAMES[0])
    await ben.sends_photos(*[photo(number) for number in range(3)])
    await ben.sees("All of them once more")
    await ben.waits_until_idle()
    await ben.sends("/history")
    menu = await ben.sees("Your last pictures")
    assert [button["text"] for button in menu.buttons] == ["1", "2", "3"]
    await ben.presses("1", on=menu)
    one = await ben.sees_result()
    count = len(albums(ben))
    await ben.presses("Weaker", on=one)
    await ben.sees_result()
    assert len(albums(ben)) == count
    await ben.presses("Delete", on=one)
    await ben.until(lambda: len(albums(ben)[0]) == 2, awaited="an album of two")


async def test_a_group_sees_what_was_painted_in_it(harness: ApplicationHarness) -> None:
    ben = harness.new_person()
    await painted_in(ben, *NAMES[:2])
    (there,) = harness.group(ben)
    await there.sends("/history")
    await there.sees("I keep no pictures")
    assert albums(there) == []


async def test_others_can_not_press_the_numbers(harness: ApplicationHarness, ben: Actor) -> None:
    await painted_in(ben, *NAMES[:2])
    await ben.sends("/history")
    menu = await ben.sees("Your last pictures")
    query = await harness.new_person("Eve").presses("1", on=menu)
    assert query.answer is not None
    assert "the one who asked" in query.answer["text"]
    eve = harness.new_person("Eve")
    await eve.sends("/history")
    await eve.sees("I keep no pictures")
