"""What is said around a job that takes minutes, by an engine that only pretends to think."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.actor import Actor
from tests.e2e.bot_process import FAST
from tests.e2e.conftest import BotHarness, running_harness
from tests.e2e.pictures import photo
from tests.e2e.test_conversations import preset_names
from tests.e2e.test_painting import order, until_painting

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

MINUTES = {"FAST_STEPS": "600", "FAST_STEP_S": "0.5"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    folder = tmp_path_factory.mktemp("minutes")
    async with running_harness(folder, MINUTES, command=FAST) as harness:
        yield harness


@pytest.fixture
def ben(tidy_ben: Actor) -> Actor:
    return tidy_ben


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
        await person.cancels_all()


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
