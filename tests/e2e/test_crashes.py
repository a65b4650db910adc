"""What a picture or a GPU may do to the process, and what people notice of it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.e2e.actor import ACCEPTED, Actor, is_result
from tests.e2e.bot_process import FAST, START_S, BotProcess
from tests.e2e.conftest import BotHarness
from tests.e2e.fast_bot import DEADLY_SIZE
from tests.e2e.pictures import painting, photo

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

ADMIN_ID = 1_000_009
ALL_ORDERED = "all-ordered"
SETTINGS = {
    "FAST_STEPS": "10",
    "FAST_STEP_S": "0.3",
    "STEP_TIMEOUT_S": "3",
    "ADMIN_IDS": str(ADMIN_ID),
}


@pytest_asyncio.fixture(loop_scope="session")
async def sandbox() -> AsyncIterator[FaultySandbox]:
    async with FaultySandbox(port=0) as sandbox:
        yield sandbox


@pytest.fixture
def admin(sandbox: FaultySandbox) -> Actor:
    return Actor(sandbox, sandbox.add_person(ADMIN_ID, "Ada", "ada", "en"))


def bot_before(sandbox: FaultySandbox, data: Path, **accident: str) -> BotProcess:
    settings = {**SETTINGS, **accident, "FAST_ACCIDENT_AFTER": str(data / ALL_ORDERED)}
    return BotProcess(sandbox, data, settings=settings, command=FAST)


async def order(person: Actor, seed: int, size: tuple[int, int] = (96, 72)) -> None:
    await person.sends_photos(photo(seed, size), painting(seed))
    await person.presses("2")
    await person.sees(ACCEPTED)


async def three_orders(harness: BotHarness) -> list[Actor]:
    """The second photo is the deadly one, and the third waits behind it.

    Nothing happens before all three are accepted, however long that takes on a busy machine.
    """
    people = [harness.new_person(name) for name in ("First", "Deadly", "Third")]
    for number, person in enumerate(people):
        await order(person, number, DEADLY_SIZE if number == 1 else (96, 72))
    (harness.data / ALL_ORDERED).touch()
    return people


def results(person: Actor) -> int:
    return sum(map(is_result, person.received))


async def test_a_picture_that_takes_the_process_down_three_times_is_set_aside(
    sandbox: FaultySandbox, admin: Actor, tmp_path: Path
) -> None:
    await admin.sends("/help")  # a bot can't write to somebody who never wrote to it
    bot = bot_before(sandbox, tmp_path, FAST_ACCIDENT="kill")
    await bot.start()
    first, deadly, third = await three_orders(BotHarness(sandbox, bot, tmp_path))
    for _ in range(2):
        assert await bot.ended(within_s=START_S) == -signal.SIGKILL
        await bot.start(wait=False)
    assert await bot.ended(within_s=START_S) == -signal.SIGKILL
    await bot.start()
    await deadly.sees("tried several times")
    await admin.sees("took the bot down 3 times")
    await third.sees_result()
    assert [results(person) for person in (first, deadly, third)] == [1, 0, 1]
    assert await bot.stop() == 0
    assert bot.log.count("job set aside") == 1
    assert bot.log.count("job taken up again") == 2


@pytest.mark.parametrize(
    ("accident", "code", "word"), [("lose", 70, "job lost its device"), ("hang", 71, "job hung")]
)
async def test_a_gpu_that_fails_ends_the_process_with_a_code_and_the_queue_is_intact(
    sandbox: FaultySandbox, admin: Actor, tmp_path: Path, accident: str, code: int, word: str
) -> None:
    bot = bot_before(sandbox, tmp_path, FAST_ACCIDENT=accident)
    await bot.start()
    await admin.sends("/stats")  # a hanging GPU catches whoever asks for its memory, too
    people = await three_orders(BotHarness(sandbox, bot, tmp_path))
    assert await bot.ended(within_s=60) == code
    assert word in bot.log

    mended = bot_before(sandbox, tmp_path)
    await mended.start()
    for person in people:
        await person.until(partial(results, person), awaited="a result")
        await person.waits_until_idle()
    assert [results(person) for person in people] == [1, 1, 1]
    assert await mended.stop() == 0
    assert sandbox.token not in mended.log


async def test_a_loop_that_stands_still_ends_the_process_and_the_queue_is_intact(
    sandbox: FaultySandbox, tmp_path: Path
) -> None:
    bot = bot_before(sandbox, tmp_path, FAST_ACCIDENT="stall")
    await bot.start()
    people = await three_orders(BotHarness(sandbox, bot, tmp_path))
    assert await bot.ended(within_s=60) == 1
    assert "in have_accident" in bot.log  # what every thread was doing

    mended = bot_before(sandbox, tmp_path)
    await mended.start()
    for person in people:
        await person.until(partial(results, person), awaited="a result")
        await person.waits_until_idle()
    assert [results(person) for person in people] == [1, 1, 1]
    assert await mended.stop() == 0


async def test_an_impatient_second_signal_cuts_nothing_short(
    sandbox: FaultySandbox, tmp_path: Path
) -> None:
    bot = BotProcess(
        sandbox, tmp_path, settings={"FAST_STEPS": "5", "FAST_STEP_S": "2"}, command=FAST
    )
    await bot.start()
    ben = BotHarness(sandbox, bot, tmp_path).new_person()
    await order(ben, 1)
    await ben.sees("▰")
    os.kill(bot.pid, signal.SIGTERM)
    await asyncio.sleep(0.3)
    assert await bot.stop(within_s=10) == 0
    assert "job put back" in bot.log


@pytest.mark.parametrize(("accident", "state"), [("lose", "lost"), ("hang", "hung")])
async def test_one_of_two_gpus_that_fails_is_given_up_and_the_bot_goes_on(
    sandbox: FaultySandbox, admin: Actor, tmp_path: Path, accident: str, state: str
) -> None:
    bot = bot_before(
        sandbox, tmp_path, FAST_ACCIDENT=accident, FAST_ACCIDENTS="1", FAST_DEVICES="cuda:0,cuda:1"
    )
    await bot.start()
    await admin.sends("/help")
    people = await three_orders(BotHarness(sandbox, bot, tmp_path))
    for person in people:
        await person.until(partial(results, person), awaited="a result")
        await person.waits_until_idle()
    assert [results(person) for person in people] == [1, 1, 1]
    await admin.sees("paints no more until the bot is restarted; devices left: 1")
    await admin.sends("/stats")
    stats = await admin.sees(f"cuda:.: {state}, pictures since the start")
    assert "idle, pictures since the start" in stats.text
    assert not bot.has_ended
    assert await bot.stop() == 0
