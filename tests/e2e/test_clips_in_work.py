"""Clips while they are painted: the bar, Stop, Cancel, turns with photos, and a killed process.

With an engine that only pretends to paint, at a pace that leaves time to look.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from app.sandbox.world import Message
from models.clips.interface import ClipKind
from tests import clip_files
from tests.e2e.actor import ACCEPTED, Actor, is_result
from tests.e2e.bot_process import FAST, STEPS
from tests.e2e.conftest import BotHarness, running_harness
from tests.e2e.pictures import painting, photo
from tests.e2e.test_conversations import preset_names

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

FRAMES = 10
SLOW = {**STEPS, "FAST_FRAME_S": "0.7", "FLOOD_BURST_MESSAGES": "200", "PRIVATE_EDIT_EVERY_S": "1"}
BAR = rf"[▰▱]{{6,}} \d+ / {FRAMES}\nPainted: [\d.]+ of 1 s"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bot(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    data = tmp_path_factory.mktemp("clips")
    async with running_harness(data, SLOW, command=FAST) as harness:
        yield harness


@pytest.fixture
def ben(bot: BotHarness) -> Actor:
    return bot.new_person()


async def order(person: Actor, kind: ClipKind = ClipKind.VIDEO) -> Message:
    """Have a clip painted in a picture's style; the status message."""
    await person.sends_clip(clip_files.mp4(FRAMES), kind)
    await person.sees("I have your clip")
    await person.sends_photo(painting(1))
    return await person.sees(ACCEPTED)


async def test_the_first_frame_comes_at_once_and_the_bar_counts_frames_and_seconds(
    ben: Actor,
) -> None:
    status = await order(ben)
    await ben.until(lambda: "photo" in status.content, awaited="the first frame")
    await ben.reads(status, BAR)
    assert "Stop" in ben.transcript()
    result = await ben.sees_result()
    assert result.id == status.id
    assert "video" in result.content


async def test_stop_keeps_what_is_painted_and_cancel_nothing(ben: Actor) -> None:
    status = await order(ben, ClipKind.ANIMATION)
    await ben.reads(status, BAR)
    await ben.presses("Stop", on=status)
    result = await ben.sees_result()
    assert "Stopped" in result.text
    assert 0 < result.content["animation"]["duration"] + 1 <= 2
    status = await order(ben)
    await ben.reads(status, BAR)
    await ben.presses("Cancel", on=status)
    await ben.until(lambda: status.id not in ben.chat.messages, awaited="the end of the job")
    assert sum(map(is_result, ben.received)) == 1


async def test_a_photo_of_somebody_else_does_not_wait_for_a_clip(bot: BotHarness) -> None:
    ben, eve = bot.new_person("Ben"), bot.new_person("Eve")
    status = await order(ben)
    await ben.reads(status, BAR)
    await eve.sends_photos(photo(3), painting(3))
    await eve.presses("2")
    await eve.sees_result()
    assert not any(map(is_result, ben.received)), "the clip goes on"
    await ben.sees_result()


async def test_the_queue_knows_a_clip(ben: Actor) -> None:
    status = await order(ben)
    await ben.reads(status, BAR)
    await ben.sends("/queue")
    assert re.search("being painted, ready in", (await ben.sees("Your pictures")).text)
    await ben.presses("Cancel", on=status)


async def test_a_clip_begins_again_after_a_kill_and_arrives_once(tmp_path: Path) -> None:
    async with running_harness(tmp_path, SLOW, command=FAST) as harness:
        people = [harness.new_person(name) for name in ("Ben", "Eve", "Rae")]
        kinds = (ClipKind.VIDEO, ClipKind.VIDEO_NOTE, ClipKind.ANIMATION)
        statuses = [await order(person, kind) for person, kind in zip(people, kinds, strict=True)]
        await people[0].reads(statuses[0], BAR)
        await harness.bot.kill()
        await harness.bot.start()
        for person, kind in zip(people, kinds, strict=True):
            await person.until(partial(_has, person, kind), within_s=60, awaited="the clip")
            await person.waits_until_idle(within_s=60)
        for person, kind in zip(people, kinds, strict=True):
            assert sum(kind.value in each.content for each in person.received) == 1


async def test_a_stop_of_the_process_puts_a_clip_back(tmp_path: Path) -> None:
    async with running_harness(tmp_path, SLOW, command=FAST) as harness:
        ben = harness.new_person()
        status = await order(ben)
        await ben.reads(status, BAR)
        assert await harness.bot.stop(within_s=10) == 0
        assert "job put back" in harness.bot.log
        await harness.bot.start()
        assert frames_said(await ben.sees_result()) == FRAMES


async def test_a_style_stays_chosen_for_clips_too(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses(preset_names("en")[0])
    await ben.sees("send me a photo")
    await ben.sends_clip(clip_files.mp4(2))
    await ben.sees_result()
    await ben.sends_photo(photo(1))
    await ben.sees_result()


def _has(person: Actor, kind: ClipKind) -> bool:
    return any(kind.value in message.content for message in person.received)


def frames_said(result: Message) -> int:
    seconds: int = result.content["video"]["duration"]
    return seconds * clip_files.FRAMES_PER_S
