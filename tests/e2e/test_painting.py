"""While a picture is being painted: the draft, the bar, Stop, Cancel, and everyone else."""

from __future__ import annotations

import itertools
import re
import statistics
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.sandbox.world import Message
from tests.e2e.actor import Actor, is_result
from tests.e2e.bot_process import CALM_SIZE_PX
from tests.e2e.conftest import BotHarness
from tests.e2e.pictures import painting, photo
from tests.e2e.test_conversations import preset_names

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

SIZE = (400, 300)
BAR = r"[▰▱]{6,}\s*\d+ / \d+"


@pytest.fixture
def harness(slow_harness: BotHarness) -> BotHarness:
    slow_harness.sandbox.faults.clear()
    return slow_harness


@pytest_asyncio.fixture(loop_scope="session")
async def ben(harness: BotHarness) -> AsyncIterator[Actor]:
    """Somebody who leaves nothing in the queue."""
    person = harness.new_person()
    yield person
    await cancel_all(person)


async def order(person: Actor, seed: int = 0) -> Message:
    """Hand two pictures in; the status message of the new job."""
    await person.sends_photos(photo(seed, SIZE), painting(seed))
    await person.presses("2")
    return await person.sees("Please wait|▰|▱")


async def cancel_all(person: Actor) -> None:
    for message in person.received:
        if any("Cancel" in button["text"] for button in message.buttons):
            await person.presses("Cancel", on=message)


async def until_painting(person: Actor, status: Message) -> None:
    await person.reads(status, BAR)


async def test_the_draft_comes_first_and_the_bar_moves(ben: Actor) -> None:
    status = await order(ben)
    await ben.until(lambda: "photo" in status.content, awaited="a draft in the status message")
    await until_painting(ben, status)
    first = status.text
    assert any("Stop" in button["text"] for button in status.buttons)
    await ben.until(lambda: status.text != first, awaited="progress")
    steps = [int(re.search(r"(\d+) / ", text)[1]) for text in (first, status.text)]  # type: ignore[index]
    assert steps[0] < steps[1]


async def test_stop_delivers_what_is_there(ben: Actor) -> None:
    status = await order(ben, 1)
    await until_painting(ben, status)
    await ben.presses("Stop")
    result = await ben.sees_result()
    assert result.id == status.id
    assert "Stopped" in result.text
    assert max(ben.picture(result).size) == CALM_SIZE_PX


async def test_cancel_throws_the_picture_away(harness: BotHarness, ben: Actor) -> None:
    status = await order(ben, 2)
    await until_painting(ben, status)
    await ben.presses("Cancel")
    await ben.until(
        lambda: status.id not in ben.chat.messages or "Cancelled" in ben.transcript(),
        awaited="the end of the job",
    )
    # The engine is free: the next job begins, though the cancelled one had minutes to go.
    second = await order(ben, 3)
    await until_painting(ben, second)
    assert not any(map(is_result, ben.received))


async def test_everyone_waits_in_one_queue_and_sees_the_true_place(
    harness: BotHarness, ben: Actor
) -> None:
    status = await order(ben, 4)
    await until_painting(ben, status)
    waiting = [harness.new_person(f"W{number}") for number in range(3)]
    statuses = [await order(person, 5) for person in waiting]
    for place, (person, message) in enumerate(zip(waiting, statuses, strict=True), start=1):
        await person.reads(message, f"queue: {place}$")
    await waiting[0].presses("Cancel")
    for place, (person, message) in enumerate(zip(waiting[1:], statuses[1:], strict=True), start=1):
        await person.reads(message, f"queue: {place}$")
    for person in waiting[1:]:
        await cancel_all(person)


async def test_help_is_answered_while_a_picture_is_painted(harness: BotHarness, ben: Actor) -> None:
    status = await order(ben, 6)
    await until_painting(ben, status)
    waits_s = []
    for person in (ben, harness.new_person(), harness.new_person()):
        asked_at = time.monotonic()
        await person.sends("/help")
        await person.sees("two ways")
        waits_s.append(time.monotonic() - asked_at)
    assert re.search(BAR, status.text), "it is still being painted"
    # What is promised to people, in the middle: a busy machine may well make one of them wait.
    assert statistics.median(waits_s) < 1.0


async def test_nobody_else_can_press_the_buttons_of_a_job(harness: BotHarness) -> None:
    owner, other = harness.group(harness.new_person("Ben"), harness.new_person("Eve"))
    asked = await owner.sends_photo(photo(7))
    await owner.sends("/style", reply_to=asked)
    await owner.presses("Yes")
    await owner.presses(preset_names("en")[0])
    status = await owner.sees("Please wait|▰|▱")
    for label in ("Cancel", "Stop"):
        await owner.finds(status, label)
        query = await other.presses(label, on=status)
        assert query.answer
        assert query.answer["text"]
    before = status.text
    await owner.until(lambda: status.text != before, awaited="the painting to go on")
    await owner.presses("Cancel", on=status)


async def test_edits_keep_a_calm_pace(harness: BotHarness, ben: Actor) -> None:
    status = await order(ben, 8)
    await until_painting(ben, status)
    await ben.until(lambda: len(status.versions) >= 4, awaited="four edits")
    calls = [
        call.at
        for call in harness.sandbox.world.calls
        if call.chat_id == ben.id and call.method.startswith("editMessage")
    ]
    # The first edit took the buttons from the question, which is another message.
    gaps = [later - earlier for earlier, later in itertools.pairwise(calls[1:])]
    assert min(gaps) > 2.5
