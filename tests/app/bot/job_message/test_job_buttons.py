"""Pressing what stands under a job and under its result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Semaphore

import pytest
import pytest_asyncio

from app.sandbox.world import Message
from models.interface import Painting, StyleOptions
from styles.catalog import default_catalog
from tests.app.bot.application_harness import ApplicationHarness, open_harness
from tests.app.jobs.stub_stylizers import Inverter, Order
from tests.e2e.actor import Actor, has_label
from tests.e2e.pictures import painting, photo

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRESETS = default_catalog().presets()
PRESET = PRESETS[0]


@dataclass
class Recorder(Inverter):
    """Also remembers what it was asked for."""

    asked: list[tuple[Path, Path, StyleOptions]] = field(default_factory=list)

    def paint(self, order: Order) -> Painting:
        self.asked.append((order.content, order.styles[0].picture, order.options))
        return super().paint(order)


@pytest.fixture(scope="module")
def engine() -> Recorder:
    return Recorder()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def harness(
    tmp_path_factory: pytest.TempPathFactory, engine: Recorder
) -> AsyncIterator[ApplicationHarness]:
    folder = tmp_path_factory.mktemp("data")
    pace = {"private_edit_every_s": 0, "group_edit_every_s": 0}
    async with open_harness(folder, **pace) as harness:
        harness.stylizer = engine
        async with harness.running():
            yield harness


@pytest.fixture
def ben(harness: ApplicationHarness, engine: Recorder) -> Actor:
    engine.asked.clear()
    engine.gate = None
    engine.faces = 0
    return harness.new_person()


async def two_pictures(actor: Actor) -> None:
    await actor.sends_photo(photo(1))
    await actor.sends_photo(painting(1))
    await actor.presses("2", on=await actor.sees("Which one gives the style"))


async def own_style(actor: Actor) -> Message:
    await two_pictures(actor)
    return await actor.sees_result()


async def preset_style(actor: Actor) -> Message:
    await actor.sends_photo(photo(1))
    await actor.presses("Choose a ready style")
    await actor.presses(PRESET.name("en"))
    return await actor.sees_result()


@pytest.mark.parametrize(
    ("label", "field", "sign"),
    [
        ("Stronger", "strength", 1),
        ("Weaker", "strength", -1),
        ("Larger brush", "brush", 1),
        ("Smaller brush", "brush", -1),
        ("Photo's colours", "keep_colors", 1),
    ],
)
async def test_one_thing_changes_and_the_photo_is_the_same(
    ben: Actor, engine: Recorder, label: str, field: str, sign: int
) -> None:
    result = await own_style(ben)
    await ben.presses(label, on=result)
    again = await ben.sees_result()
    assert again.id != result.id
    (photo_1, style_1, before), (photo_2, style_2, after) = engine.asked
    assert (photo_1, style_1) == (photo_2, style_2)
    assert (getattr(after, field) - getattr(before, field)) * sign > 0
    changed = [name for name in before.__slots__ if getattr(before, name) != getattr(after, name)]
    assert changed == [field]


def rows(message: Message) -> list[list[str]]:
    assert message.reply_markup is not None
    keyboard = message.reply_markup["inline_keyboard"]
    return [[button["text"] for button in row] for row in keyboard]


FEW = [["➖ Weaker", "➕ Stronger"], ["🖼 Other style", "📤 Share", "⋯ More"]]


async def test_what_is_pressed_most_stands_in_two_rows_and_the_rest_behind_more(
    ben: Actor,
) -> None:
    result = await own_style(ben)
    count = len(ben.received)
    assert rows(result) == FEW
    query = await ben.presses("More", on=result)
    assert query.answer is not None
    assert query.answer["text"] == ""
    await ben.finds(result, "Less")
    assert rows(result)[:2] == [FEW[0], ["🖼 Other style", "📤 Share", "‹ Less"]]
    assert ["🖌 Smaller brush", "🖌 Larger brush"] in rows(result)
    await ben.presses("Less", on=result)
    await ben.until(lambda: rows(result) == FEW, awaited="few buttons")
    assert len(ben.received) == count


async def test_more_twice_at_once_shows_more(ben: Actor) -> None:
    result = await own_style(ben)
    queries = ben.hammers(result, "More", times=2)
    await ben.until(lambda: all(query.answer for query in queries), awaited="two answers")
    await ben.finds(result, "Less")


async def test_faces_can_be_as_painted_and_natural_again(ben: Actor, engine: Recorder) -> None:
    engine.faces = 1
    await ben.presses("Faces as painted", on=await own_style(ben))
    painted = await ben.sees_result()
    await ben.presses("Natural faces", on=painted)
    await ben.sees_result()
    assert [options.keep_faces for _, _, options in engine.asked] == [True, False, True]


async def test_where_there_is_no_face_no_button_speaks_of_one(ben: Actor) -> None:
    result = await own_style(ben)
    await ben.presses("More", on=result)
    await ben.finds(result, "Less")
    assert not has_label(result, "aces")


async def test_hd_comes_as_a_file(ben: Actor, engine: Recorder) -> None:
    await ben.presses("HD", on=await own_style(ben))
    hd = await ben.sees_result()
    assert "document" in hd.content
    assert engine.asked[-1][2].size_px == 2048


async def test_a_print_comes_as_a_file_that_fills_its_sheet(ben: Actor, engine: Recorder) -> None:
    await ben.presses("A4", on=await own_style(ben))
    printed = await ben.sees_result()
    assert "document" in printed.content
    assert "A4 at 300 dpi" in printed.text
    assert "enlarged" in printed.text
    picture = await asyncio.to_thread(ben.picture, printed)
    assert picture.width == 3508 or picture.height == 2480
    assert picture.info["dpi"] == (300, 300)
    assert engine.asked[-1][2].size_px == 2048
    await ben.presses("More", on=printed)
    await ben.finds(printed, "A3")
    assert not has_label(printed, "A4")


async def test_swap_changes_the_roles(ben: Actor, engine: Recorder) -> None:
    await ben.presses("Swap", on=await own_style(ben))
    await ben.sees_result()
    first, second = engine.asked
    assert second[:2] == (first[1], first[0])


async def test_another_style_for_the_same_photo(ben: Actor, engine: Recorder) -> None:
    await ben.presses("Other style", on=await own_style(ben))
    await ben.presses(PRESET.name("en"))
    await ben.sees_result()
    first, second = engine.asked
    assert (second[0], second[1]) == (first[0], PRESET.picture)


async def test_another_photo_in_the_same_style(ben: Actor, engine: Recorder) -> None:
    result = await preset_style(ben)
    await ben.presses("Other photo", on=result)
    assert not has_label(result, "Swap")
    await ben.sees("Send me a photo")
    await ben.sends_photo(photo(2))
    await ben.sees_result()
    first, second = engine.asked
    assert second[0] != first[0]
    assert second[1] == PRESET.picture


async def test_another_photo_is_painted_with_what_the_buttons_changed(
    ben: Actor, engine: Recorder
) -> None:
    await ben.presses("Weaker", on=await preset_style(ben))
    weaker = await ben.sees_result()
    await asyncio.to_thread(engine.asked[1][0].unlink)
    await ben.presses("Other photo", on=weaker)
    await ben.sees("Send me a photo")
    await ben.sends_photo(photo(2))
    await ben.sees_result()
    first, second, third = engine.asked
    assert third[2] == second[2] != first[2]


async def test_another_style_instead_begins_with_its_own_hints(
    ben: Actor, engine: Recorder
) -> None:
    await ben.presses("Weaker", on=await preset_style(ben))
    await ben.presses("Other photo", on=await ben.sees_result())
    await ben.sees("Send me a photo")
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses(PRESET.name("en"))
    await ben.sends_photo(photo(2))
    await ben.sees_result()
    assert engine.asked[2][2] == engine.asked[0][2]


async def album(actor: Actor, engine: Recorder) -> Message:
    """Three photos in a ready style; the message with the buttons below their results."""
    await actor.sends("/style")
    await actor.presses("Yes")
    await actor.presses(PRESET.name("en"))
    await actor.sends_photos(*[photo(number) for number in range(3)])
    offer = await actor.sees("All of them once more")
    assert len(engine.asked) == 3
    return offer


async def test_an_album_is_painted_once_more_as_an_album(ben: Actor, engine: Recorder) -> None:
    offer = await album(ben, engine)
    ben.hammers(offer, "Weaker", times=2)
    weaker = await ben.sees("All of them once more")
    assert weaker.id != offer.id
    first, second = engine.asked[:3], engine.asked[3:]
    assert [content for content, _, _ in second] == [content for content, _, _ in first]
    assert all(b[2].strength < a[2].strength for a, b in zip(first, second, strict=True))
    groups = [m.media_group_id for m in ben.received if m.media_group_id is not None]
    assert [groups.count(group) for group in dict.fromkeys(groups)] == [3, 3]


async def test_one_face_in_an_album_is_enough_for_its_button(ben: Actor, engine: Recorder) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses(PRESET.name("en"))
    engine.gate = Semaphore(3)
    await ben.sends_photos(*[photo(number) for number in range(2)])
    await ben.until(lambda: len(engine.asked) == 2, awaited="the second photo")
    engine.faces = 1
    engine.gate.release(3)
    offer = await ben.sees("All of them once more")
    engine.gate = None
    await ben.presses("Faces as painted", on=offer)
    await ben.sees("All of them once more")
    assert [options.keep_faces for _, _, options in engine.asked] == [True, True, False, False]


async def test_below_an_album_more_shows_more(ben: Actor, engine: Recorder) -> None:
    offer = await album(ben, engine)
    assert rows(offer) == FEW
    await ben.presses("More", on=offer)
    await ben.finds(offer, "Less")
    assert ["🖌 Smaller brush", "🖌 Larger brush"] in rows(offer)


async def test_an_album_in_another_style(ben: Actor, engine: Recorder) -> None:
    offer = await album(ben, engine)
    await ben.presses("Other style", on=offer)
    await ben.sees("I have your 3 photos")
    await ben.presses(PRESETS[1].name("en"))
    await ben.sees("All of them once more")
    assert [style for _, style, _ in engine.asked[3:]] == [PRESETS[1].picture] * 3


async def test_many_presses_start_one_job(ben: Actor, engine: Recorder) -> None:
    result = await own_style(ben)
    ben.hammers(result, "Stronger", times=3)
    await ben.sees_result()
    late = await ben.presses("Stronger", on=result)
    assert late.answer is not None
    assert "already" in late.answer["text"]
    assert len(engine.asked) == 2


async def test_after_a_cancel_a_press_starts_it_again(ben: Actor, engine: Recorder) -> None:
    result = await own_style(ben)
    engine.gate = Semaphore(0)
    await ben.presses("Stronger", on=result)
    await ben.presses("Cancel")
    engine.gate = None
    await ben.presses("Stronger", on=result)
    await ben.sees_result()


async def test_a_photo_that_is_gone_is_said_kindly(ben: Actor, engine: Recorder) -> None:
    result = await own_style(ben)
    await asyncio.to_thread(engine.asked[0][0].unlink)
    query = await ben.presses("Stronger", on=result)
    assert query.answer is not None
    assert "gone" in query.answer["text"]
    assert len(engine.asked) == 1


@pytest.mark.parametrize("label", ["Stronger", "Other style", "More"])
async def test_results_of_others_are_not_touched(
    harness: ApplicationHarness, ben: Actor, engine: Recorder, label: str
) -> None:
    result = await own_style(ben)
    eve = harness.new_person("Eve")
    query = await eve.presses(label, on=result)
    assert query.answer is not None
    assert "the one who asked" in query.answer["text"]
    assert len(engine.asked) == 1


@pytest.mark.parametrize(
    "data",
    [
        "again:stronger:999999",
        "more:1:999999",
        "more:2:1",
        "again:nonsense:1",
        "job:stop:-1",
        "job:cancel:x",
        "queue:1:1",
    ],
)
async def test_forged_buttons_do_nothing(ben: Actor, engine: Recorder, data: str) -> None:
    result = await own_style(ben)
    query = ben.person.press(result, data)
    await ben.until(lambda: query.answer is not None, awaited="an answer")
    assert len(engine.asked) == 1


async def test_the_queue_shows_and_cancels_own_jobs(
    harness: ApplicationHarness, ben: Actor, engine: Recorder
) -> None:
    engine.gate = Semaphore(0)
    await two_pictures(ben)
    await ben.sees("/ 3|starting")
    await two_pictures(ben)
    await two_pictures(ben)
    await ben.sends("/queue")
    listed = await ben.sees("Your pictures")
    lines = listed.text.splitlines()
    assert "being painted" in lines[1]
    assert "place in the queue: 1, ready in ~" in lines[2]
    assert "place in the queue: 2, ready in ~" in lines[3]
    await ben.presses("✖️ 2", on=listed)
    await ben.until(lambda: len(listed.text.splitlines()) == 3, awaited="a shorter list")
    assert "2. place in the queue: 1" in listed.text
    eve = harness.new_person("Eve")
    await eve.sends("/queue")
    await eve.sees("Nothing of yours")
    engine.gate.release(100)
    await ben.sees_result()
    await ben.sees_result()


async def test_stop_and_cancel_are_answered_when_it_is_too_late(ben: Actor) -> None:
    result = await own_style(ben)
    job_id = result.buttons[0]["callback_data"].split(":")[-1]
    for press in ("stop", "cancel"):
        query = ben.person.press(result, f"job:{press}:{job_id}")
        await ben.until(lambda query=query: query.answer, awaited="an answer")  # type: ignore[misc]
        assert query.answer is not None
        assert "ready already" in query.answer["text"]
