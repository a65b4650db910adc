"""While the engine is busy with a picture: the draft, the bar, Stop, Cancel, and an answer."""

from __future__ import annotations

import re
import statistics
import time

import pytest

from app.sandbox.world import Message
from tests.e2e.actor import Actor, is_result
from tests.e2e.bot_process import CALM_SIZE_PX
from tests.e2e.conftest import BotHarness
from tests.e2e.pictures import painting, photo

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


@pytest.fixture
def ben(tidy_ben: Actor) -> Actor:
    return tidy_ben


async def order(person: Actor, seed: int = 0) -> Message:
    """Hand two pictures in; the status message of the new job."""
    await person.sends_photos(photo(seed, SIZE), painting(seed))
    await person.presses("2")
    return await person.sees("Please wait|▰|▱")


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
