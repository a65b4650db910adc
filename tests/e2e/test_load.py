"""Two hundred people with a thousand pictures, through an engine that only pretends to think."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from pathlib import Path

import pytest

from tests.e2e.actor import Actor, is_result
from tests.e2e.bot_process import FAST
from tests.e2e.conftest import BotHarness, running_harness
from tests.e2e.pictures import photo
from tests.e2e.test_conversations import preset_names

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

PICTURES_EACH = 5
ASKED_EVERY_S = 0.1
"""Also while answers are late: one who waits for each before asking again asks least often when
it takes longest.
"""
CROWDED_S = 600.0
"""How long one may wait for an answer when two hundred ask at once."""
QUICK_ENGINE = {
    "DEFAULT_QUALITY": "draft",
    "FAST_STEPS": "1",
    "FAST_STEP_S": "0",
    "QUEUE_MAX_JOBS": "2000",
    # It is the bot that is measured here, not the 30 messages a second that Telegram takes.
    "MESSAGES_PER_SECOND": "1000",
}


async def one_visit(person: Actor, style: str, pictures: list[bytes]) -> int:
    """Five pictures as one album, painted in a preset; how many came back."""
    await person.sends("/style")
    await person.presses("Yes", within_s=CROWDED_S)
    await person.presses(style, within_s=CROWDED_S)
    await person.sees("send me a photo", within_s=CROWDED_S)
    await person.sends_photos(*pictures)
    await person.until(
        lambda: len(returned(person)) >= PICTURES_EACH, within_s=3000, awaited="all pictures"
    )
    return len(returned(person))


def returned(person: Actor) -> list[int]:
    return [m.id for m in person.received if is_result(m) or m.media_group_id is not None]


def memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def visits(harness: BotHarness, people: int) -> tuple[list[int], list[float], float, float]:
    """Pictures returned to each, waits for /help meanwhile, and memory at first and at last."""
    before_mb = memory_mb(harness.bot.pid)
    # Read and drawn before anybody comes: what keeps this process busy is no wait for the bot.
    styles = itertools.cycle(preset_names("en"))
    albums = [[photo(n + each, (96, 72)) for each in range(PICTURES_EACH)] for n in range(people)]
    crowd = [
        asyncio.create_task(one_visit(harness.new_person(), style, album))
        for style, album in zip(styles, albums, strict=False)
    ]
    asked = []
    while not all(task.done() for task in crowd):
        asked.append(asyncio.create_task(wait_for_help(harness.new_person())))
        await asyncio.sleep(ASKED_EVERY_S)
    waits_s = [await task for task in asked]
    return [await task for task in crowd], waits_s, before_mb, memory_mb(harness.bot.pid)


async def wait_for_help(curious: Actor) -> float:
    asked_at = time.monotonic()
    await curious.sends("/help")
    await curious.sees("two ways")
    return time.monotonic() - asked_at


async def test_a_crowd_gets_every_picture_once(stub_harness: BotHarness) -> None:
    stub_harness.sandbox.faults.clear()
    counts, waits_s, before_mb, after_mb = await visits(stub_harness, people=4)
    assert counts == [PICTURES_EACH] * 4
    assert waits_s
    assert after_mb < before_mb + 100


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("devices", ["cuda:0", "cuda:0,cuda:1"])
async def test_two_hundred_people_with_a_thousand_pictures(
    tmp_path_factory: pytest.TempPathFactory, devices: str
) -> None:
    settings = {**QUICK_ENGINE, "FAST_DEVICES": devices}
    async with running_harness(tmp_path_factory.mktemp("crowd"), settings, command=FAST) as harness:
        counts, waits_s, before_mb, after_mb = await visits(harness, people=200)
    assert counts == [PICTURES_EACH] * 200
    p99_s = statistics.quantiles(waits_s, n=100)[98]
    print(f"/help: p99 {p99_s * 1000:.0f} ms; memory {before_mb:.0f} -> {after_mb:.0f} MB")  # noqa: T201
    assert after_mb < before_mb + 300
