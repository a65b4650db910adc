"""What e2e conversations don't show: unusual ways to a painting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.bot.ui.callback_data import SourceCallback
from styles.catalog import default_catalog
from tests.app.bot.application_harness import ApplicationHarness, open_harness
from tests.e2e.actor import Actor, is_result
from tests.e2e.pictures import painting, photo

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST, SECOND, THIRD = (preset.name("en") for preset in default_catalog().presets()[:3])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ApplicationHarness]:
    async with open_harness(tmp_path_factory.mktemp("data")) as harness, harness.running():
        yield harness


@pytest.fixture
def ben(harness: ApplicationHarness) -> Actor:
    return harness.new_person()


def originals(harness: ApplicationHarness, actor: Actor) -> list[Path]:
    folder = harness.settings.data_dir / "originals" / str(actor.id)
    return sorted(folder.iterdir()) if folder.exists() else []


async def test_two_presets_are_mixed(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses("Add another style")
    await ben.sees("Choose up to five styles to mix, then send a photo")
    await ben.presses(FIRST)
    await ben.presses(SECOND)
    await ben.sees(f"Style: .*{FIRST}.* \\+ .*{SECOND}")
    await ben.sends_photo(photo(1))
    result = await ben.sees_result()
    assert f"{FIRST} + {SECOND}" in result.text


async def test_a_second_press_takes_a_style_out_of_the_mixture(ben: Actor) -> None:
    await ben.sends_photo(photo(1))
    await ben.presses("Choose a ready style")
    await ben.presses("Add another style")
    for name in (FIRST, SECOND, FIRST):
        await ben.presses(name)
    await ben.presses("Paint")
    assert FIRST not in (await ben.sees_result()).text


async def test_paint_without_a_style_asks_for_one(ben: Actor) -> None:
    await ben.sends_photo(photo(1))
    await ben.presses("Choose a ready style")
    await ben.presses("Add another style")
    query = await ben.presses("Paint")
    assert query.answer is not None
    assert "at least one style" in query.answer["text"]


async def test_a_change_of_mind_in_the_gallery_takes_the_last_style(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses(FIRST)
    await ben.presses(SECOND)
    await ben.sees(f"Style: .*{SECOND}")
    await ben.sends_photo(photo(1))
    caption = (await ben.sees_result()).text
    assert SECOND in caption
    assert FIRST not in caption


async def test_an_album_in_a_chosen_style_comes_back_as_an_album(
    harness: ApplicationHarness, ben: Actor
) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses(FIRST)
    await ben.sends_photos(*(photo(seed) for seed in range(3)))
    await ben.until(lambda: harness.calls("sendMediaGroup") == 1)
    albums = [m for m in ben.received if m.media_group_id]
    assert len(albums) == 3


async def test_an_album_without_a_style_may_get_a_ready_one(ben: Actor) -> None:
    await ben.sends_photos(*(photo(seed) for seed in range(7)))
    question = await ben.sees("here are 7 pictures")
    assert not any(button["text"].isdigit() for button in question.buttons)
    await ben.presses("A ready style for all")
    await ben.presses(FIRST)
    await ben.until(lambda: sum(bool(m.media_group_id) for m in ben.received) == 7)


async def test_of_several_pictures_one_is_painted_in_the_style_of_the_others(ben: Actor) -> None:
    await ben.sends_photos(painting(1), photo(2, (200, 100)), painting(3))
    question = await ben.sees("Which one shall I paint")
    await ben.presses("2")
    await ben.reads(question, "mixed style of the 2 others")
    picture = ben.picture(await ben.sees_result())
    assert picture.width == 2 * picture.height


async def test_a_button_pressed_twice_starts_one_job(ben: Actor) -> None:
    await ben.sends_photos(photo(1), painting(1))
    question = await ben.sees("Which one gives the style")
    ben.hammers(question, "2", times=3)
    await ben.sees_result()
    await ben.waits_until_idle()
    assert sum("again:" in str(message.buttons) for message in ben.received) == 1


async def test_a_gallery_pressed_twice_starts_one_job_and_asks_nothing(ben: Actor) -> None:
    await ben.sends_photo(photo(1))
    await ben.presses("Choose a ready style")
    gallery = await ben.sees("Choose a style")
    ben.hammers(gallery, FIRST, times=2)
    await ben.sees_result()
    await ben.waits_until_idle()
    assert sum(is_result(message) for message in ben.received) == 1
    assert not gallery.buttons


async def test_buttons_of_an_older_question_are_out_of_date(ben: Actor) -> None:
    await ben.sends_photos(photo(1), painting(1))
    old = await ben.sees("Which one gives the style")
    await ben.sends_photo(painting(2))
    await ben.sees("Which one shall I paint")
    query = await ben.presses("1", on=old)
    assert query.answer is not None
    assert "out of date" in query.answer["text"]
    assert old not in ben.received


async def test_the_same_update_twice_has_no_second_effect(
    harness: ApplicationHarness, ben: Actor
) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses(FIRST)
    queue = harness.sandbox.world.updates
    with harness.sandbox.world.watch():
        message = await ben.sends_photo(photo(1))
        queue.repeat(queue._waiting[-1])
    await ben.sees_result()
    await ben.sends("/help")
    await ben.sees("two ways")
    after = [m for m in ben.received if m.id > message.id]
    assert len(after) == 2  # the result and the help


async def test_forged_callback_data_is_refused(ben: Actor) -> None:
    await ben.sends_photos(photo(1), painting(1))
    question = await ben.sees("Which one gives the style")
    forged = (
        "preset:{id}:no-such-style",
        "preset:{id}:../../etc/passwd",
        "preset:x:swirls",
        "role:{id}:99",
        "role:{id}:0",
        "role:{id}:-1",
        "data:{id}:token",
        "source:{id}:maybe",
        "nothing of ours",
    )
    queries = [ben.person.press(question, data.format(id=ben.id)) for data in forged]
    await ben.until(lambda: all(query.answer for query in queries))
    assert all(query.answer and query.answer["text"] for query in queries)


async def test_the_pictures_of_a_conversation_lie_in_a_folder_of_their_own(
    harness: ApplicationHarness, ben: Actor
) -> None:
    await ben.sends_files(photo(1), name="../../../../tmp/evil.jpg")
    await ben.sees("second one")
    (kept,) = originals(harness, ben)
    assert kept.suffix == ".jpg"
    assert "evil" not in kept.name


async def test_one_bad_picture_does_not_spoil_the_album(ben: Actor) -> None:
    await ben.sends_files(photo(1), b"not a picture", painting(1), b"nor this")
    await ben.sees("Please send a JPEG, PNG or WEBP")
    await ben.sees("Which one gives the style")
    assert sum("JPEG" in message.text for message in ben.received) == 1


async def test_buttons_belong_to_the_one_who_was_asked(
    harness: ApplicationHarness, ben: Actor
) -> None:
    anna = harness.new_person("Anna")
    anna_there, ben_there = harness.group(anna, ben)
    await anna_there.sends("/style")
    question = await anna_there.sees("ready styles")
    data = SourceCallback(owner=anna.id, ready=True).pack()
    query = ben.person.press(question, data)
    await ben_there.until(lambda: query.answer)
    assert query.answer is not None
    assert "for the one who asked" in query.answer["text"]


async def test_style_in_reply_to_a_photo_in_a_group(
    harness: ApplicationHarness, ben: Actor
) -> None:
    anna_there, ben_there = harness.group(harness.new_person("Anna"), ben)
    shared = await anna_there.sends_photo(photo(1, (200, 100)))
    await ben_there.sends("/style", reply_to=shared)
    await ben_there.sees("I have your photo")
    await ben_there.presses("Yes")
    await ben_there.presses(FIRST)
    picture = ben_there.picture(await ben_there.sees_result())
    assert picture.width == 2 * picture.height


async def test_in_a_group_only_what_is_said_to_the_bot_is_heard(
    harness: ApplicationHarness, ben: Actor
) -> None:
    (there,) = harness.group(ben)
    await there.sends("just talking")
    await there.sends_photo(photo(1))
    await there.sends("/start@another_bot")
    username = harness.sandbox.world.bot.username
    await there.sends(f"/help@{username}")
    help_text = await there.sees("two ways")
    await there.sends("a reply", reply_to=help_text)
    await there.sees(r"^\d+$")
    assert len(there.received) == 2


@pytest.mark.parametrize(
    ("method", "photos", "question"),
    [("sendMessage", 1, "second one"), ("sendPhoto", 2, "Which one gives the style")],
)
async def test_a_question_is_rather_asked_twice_than_never(
    harness: ApplicationHarness, ben: Actor, method: str, photos: int, question: str
) -> None:
    """A line that broke, or a gateway's own error page, says nothing about what has arrived."""
    harness.sandbox.faults.drop(method, after_effect=True)
    await ben.sends_photos(*(photo(number) for number in range(photos)))
    await ben.sees(question)
    await ben.sees(question)
