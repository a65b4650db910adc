"""One live question in a chat, and a style that stays chosen."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.sandbox.world import Message
from styles.catalog import default_catalog
from tests.app.bot.application_harness import ApplicationHarness, open_harness
from tests.app.jobs.stub_stylizers import Inverter
from tests.e2e.actor import Actor, is_result
from tests.e2e.pictures import painting, photo

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST, SECOND, *_ = (preset.name("en") for preset in default_catalog().presets())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ApplicationHarness]:
    async with open_harness(tmp_path_factory.mktemp("data")) as harness, harness.running():
        yield harness


@pytest.fixture
def ben(harness: ApplicationHarness) -> Actor:
    return harness.new_person()


def questions(actor: Actor) -> list[Message]:
    """What has buttons and is no result."""
    return [message for message in actor.received if message.buttons and not is_result(message)]


async def until_asked(actor: Actor, count: int) -> list[Message]:
    """The open questions, once there are so many and no answer is on its way."""
    await actor.until(lambda: len(questions(actor)) == count, awaited=f"{count} open questions")
    return questions(actor)


async def results(actor: Actor, count: int) -> list[Message]:
    def found() -> list[Message] | None:
        painted = [message for message in actor.received if is_result(message)]
        return painted if len(painted) == count else None

    return await actor.until(found, within_s=90, awaited=f"{count} results")


async def test_a_burst_of_photos_is_painted_in_the_chosen_style(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses(FIRST)
    await ben.sees("send me a photo")
    for number in range(5):
        await ben.sends_photo(photo(number))
    painted = await results(ben, 5)
    assert all(FIRST in message.text for message in painted)
    assert await until_asked(ben, 0) == []
    # The gallery, which says what was chosen, and the five paintings.
    assert len(ben.received) == 6


async def test_the_style_is_still_chosen_later_and_for_an_album(ben: Actor) -> None:
    await ben.sends_photo(photo(1))
    await ben.presses("Choose a ready style")
    await ben.presses(SECOND)
    await results(ben, 1)
    await ben.sends("how are you?")
    await ben.sends_photo(photo(2))
    await results(ben, 2)
    await ben.sends_photos(photo(3), photo(4))
    album = await ben.sees("All of them once more")
    assert album.buttons
    assert sum(SECOND in message.text for message in ben.received) >= 4


async def test_while_it_is_painted_a_line_says_how_to_change_the_style(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses(FIRST)
    await ben.sends_photo(photo(1))
    result = await ben.sees_result()
    said = [content.get("text") or content.get("caption") for content in result.versions]
    assert any(f"Style: {FIRST}. Another one: /style" in text for text in said if text)


async def test_another_style_is_chosen_by_style(ben: Actor) -> None:
    for name in (FIRST, SECOND):
        await ben.sends("/style")
        await ben.presses("Yes")
        await ben.presses(name)
        await ben.sends_photo(photo(1))
        assert name in (await ben.sees_result()).text


async def test_two_photos_without_a_style_are_still_two_pictures(ben: Actor) -> None:
    await ben.sends_photo(photo(1))
    await ben.sees("second one")
    await ben.sends_photo(painting(1))
    question = await ben.sees("Which one gives the style")
    assert await until_asked(ben, 1) == [question]
    await ben.presses("2")
    await ben.sees_result()
    assert await until_asked(ben, 0) == []


async def test_cancel_leaves_the_chosen_style(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses(FIRST)
    await ben.sends("/cancel")
    await ben.sees("start over")
    assert await until_asked(ben, 0) == []
    await ben.sends_photo(photo(1))
    await ben.sees("second one")


async def test_a_burst_without_a_style_leaves_one_question(ben: Actor) -> None:
    for number in range(5):
        await ben.sends_photo(photo(number))
    await ben.sees("Which one shall I paint")
    await ben.until(
        lambda: [b["text"] for m in questions(ben) for b in m.buttons][:5] == list("12345"),
        awaited="five numbers",
    )
    (question,) = await until_asked(ben, 1)
    assert ben.received == [question]


async def test_a_question_that_follows_edits_the_one_before(ben: Actor) -> None:
    await ben.sends("/style")
    asked = await ben.sees("ready styles")
    await ben.presses("Yes")
    gallery = await ben.sees("Choose a style")
    assert gallery.id == asked.id
    assert ben.received == [gallery]


@pytest.mark.parametrize("command", ["/settings", "/button", "/forget"])
async def test_of_menus_the_newest_is_the_only_one(ben: Actor, command: str) -> None:
    await ben.sends("/settings")
    (menu,) = await until_asked(ben, 1)
    await ben.sends(command)
    await ben.until(lambda: [m.id for m in questions(ben)] > [menu.id], awaited="another menu")
    assert len(await until_asked(ben, 1)) == 1


async def test_a_menu_interrupts_a_question_and_the_next_question_closes_it(ben: Actor) -> None:
    await ben.sends_photos(photo(1), painting(1))
    question = await ben.sees("Which one gives the style")
    await ben.sends("/queue")
    await ben.sees("Nothing of yours")
    await ben.sends("/settings")
    menu = await ben.sees("Your settings")
    assert await until_asked(ben, 2) == [question, menu]
    await ben.sends("/style")
    await ben.sees("ready styles")
    assert len(await until_asked(ben, 1)) == 1
    assert not menu.buttons
    assert question not in ben.received


async def test_an_old_button_says_what_to_do_and_goes(ben: Actor) -> None:
    await ben.sends("/settings")
    (menu,) = await until_asked(ben, 1)
    old = menu.buttons[0]["callback_data"]
    await ben.sends("/button")
    await ben.sees("see your data")
    await until_asked(ben, 1)
    query = ben.person.press(menu, old)
    await ben.until(lambda: query.answer, awaited="an answer")
    assert query.answer is not None
    assert "/style" in query.answer["text"]
    assert not menu.buttons


async def test_a_menu_does_not_take_the_place_of_what_was_said(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses(FIRST)
    await ben.sends("/settings")
    menu = await ben.sees("Quality")
    await ben.sends_photo(photo(1))
    await ben.sees_result()
    assert "Quality" in menu.text
    assert await until_asked(ben, 1) == [menu]


async def test_a_photo_while_the_gallery_is_open_changes_the_gallery(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    gallery = await ben.sees("Choose a style")
    await ben.sends_photo(photo(1))
    await ben.reads(gallery, "I have your photo")
    assert ben.received == [gallery]
    await ben.presses(FIRST)
    await ben.sees_result()
    await ben.reads(gallery, "Style")
    assert not gallery.buttons


async def test_the_daily_number_is_a_line_and_then_a_sentence(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("daily")
    async with open_harness(folder, daily_pictures_per_user=1) as harness, harness.running():
        ben = harness.new_person()
        await ben.sends_photos(photo(1), painting(1))
        await ben.presses("2")
        result = await ben.sees_result()
        said = [content.get("text") or content.get("caption") for content in result.versions]
        assert any("the last one of these 24 hours" in text for text in said if text)
        await ben.sends_photos(photo(2), painting(2))
        await ben.presses("2")
        await ben.sees("1 picture in 24 hours. The next one in ~")


async def test_a_burst_beyond_ones_limit_is_said_and_the_style_stays_chosen(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder, gate = tmp_path_factory.mktemp("limited"), threading.Semaphore(0)
    async with open_harness(folder, queue_max_jobs_per_user=2) as harness:
        harness.stylizer = Inverter(gate=gate)
        async with harness.running():
            ben = harness.new_person()
            await ben.sends("/style")
            await ben.presses("Yes")
            await ben.presses(FIRST)
            for number in range(4):
                await ben.sends_photo(photo(number))
            for _ in range(2):
                await ben.sees("2 pictures of yours at a time")
            gate.release(100)
            await results(ben, 2)
            await ben.waits_until_idle()
            await ben.sends_photo(photo(5))
            painted = await results(ben, 3)
            assert all(FIRST in message.text for message in painted)
            assert await until_asked(ben, 0) == []
