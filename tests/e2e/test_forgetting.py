"""After /forget: no byte about the person under DATA_DIR, whatever happens in the middle of it."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.e2e.actor import ACCEPTED, Actor, is_result
from tests.e2e.bot_process import FAST, START_S, STEPS, BotProcess
from tests.e2e.pictures import painting, photo

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

ANNA_ID = 7_312_345_678
BEN_ID = 7_287_654_321
NAME, USERNAME = "Анна Ёжикова", "anna_yozh_1987"
GROUP_ID = -1_003_000_000_001


@pytest_asyncio.fixture(loop_scope="session")
async def sandbox() -> AsyncIterator[FaultySandbox]:
    async with FaultySandbox(port=0) as sandbox:
        yield sandbox


@pytest.fixture
def anna(sandbox: FaultySandbox) -> Actor:
    return Actor(sandbox, sandbox.add_person(ANNA_ID, NAME, USERNAME, "en"))


@pytest.fixture
def ben(sandbox: FaultySandbox) -> Actor:
    return Actor(sandbox, sandbox.add_person(BEN_ID, "Ben", "ben", "en"))


def bot_before(sandbox: FaultySandbox, data: Path, **more: str) -> BotProcess:
    return BotProcess(sandbox, data, settings={**STEPS, **more}, command=FAST)


def traces(data: Path, user_id: int = ANNA_ID, *names: str) -> list[str]:
    """Which files, in what they are called or in what they hold, tell of the person."""
    words = [str(user_id), *(names or (NAME, USERNAME))]
    needles = [user_id.to_bytes(6, "big"), user_id.to_bytes(8, "little")]
    for word in words:
        needles += [word.encode(), word.encode("utf-16-le"), json.dumps(word).strip('"').encode()]
    found = []
    for path in sorted(data.rglob("*")):
        said = str(path.relative_to(data)).encode()
        said += path.read_bytes() if path.is_file() else b""
        found += [f"{path.relative_to(data)}: {needle!r}" for needle in needles if needle in said]
    return found


def is_clean(data: Path) -> bool:
    return not traces(data)


async def live_a_little(person: Actor) -> None:
    """Leave something in every store: a result, settings, a conversation, jobs that wait."""
    await person.sends("/start")
    await person.sends_photos(photo(1), painting(1))
    await person.presses("2")
    await person.sees_result()
    await person.sends("/settings")
    await person.presses("Strength")
    await person.presses("40%")
    for seed in (2, 3):
        await person.sends_photos(photo(seed), painting(seed))
        await person.presses("2", on=await person.sees("Which one gives the style"))
        await person.sees(ACCEPTED)
    await person.sends_photo(photo(4))
    await person.sees("second one")


async def is_asked(person: Actor) -> None:
    await person.sends("/forget")
    await person.sees("Shall I")


async def test_no_byte_is_left_after_the_answer(
    sandbox: FaultySandbox, anna: Actor, ben: Actor, tmp_path: Path
) -> None:
    bot = bot_before(sandbox, tmp_path, FAST_STEP_S="0.2")
    await bot.start()
    await live_a_little(anna)
    await live_a_little(ben)
    assert traces(tmp_path)
    await is_asked(anna)
    await anna.presses("Yes, everything")
    await anna.sees("know nothing about you")
    assert traces(tmp_path) == []
    assert traces(tmp_path, BEN_ID, "Ben"), "somebody else's data is no business of hers"
    await ben.until(lambda: sum(map(is_result, ben.received)) == 3, awaited="three results")
    assert await bot.stop() == 0
    assert traces(tmp_path) == []
    assert "Traceback" not in bot.log


async def test_who_is_impatient_or_goes_on_talking_is_forgotten_too(
    sandbox: FaultySandbox, anna: Actor, tmp_path: Path
) -> None:
    """Several presses, and what was said in the moment in which everything is deleted."""
    bot = bot_before(sandbox, tmp_path)
    await bot.start()
    await live_a_little(anna)
    sandbox.world.open_group(GROUP_ID, "Painters")
    group = Actor(sandbox, anna.person, sandbox.world.chats[GROUP_ID])
    await anna.sends("/forget")
    question = await anna.sees("Shall I")
    await group.sends_photo(photo(6), caption="/style")
    anna.hammers(question, "Yes, everything", times=4)
    await anna.sends_photo(photo(5))
    await anna.sees("know nothing about you")
    assert traces(tmp_path) == []
    await anna.sends("/queue")
    await anna.sees("Nothing of yours")
    assert await bot.stop() == 0


@pytest.mark.parametrize(
    "spot",
    [
        "app.bot.personal_data:_Erasures.record",
        "app.jobs.repository:JobRepository.cancel_all",
        "app.jobs.repository:JobRepository.all_of",
        "app.bot.transport.picture_downloads:PictureDownloads.forget",
        "app.bot.transport.inbox:Inbox.forget",
        "app.bot.personal_data:_Erasures.reduce",
        "app.storage.database:Database.wipe",
    ],
)
async def test_a_process_that_is_killed_in_the_middle_goes_on_when_it_starts(
    sandbox: FaultySandbox, anna: Actor, tmp_path: Path, spot: str
) -> None:
    bot = bot_before(sandbox, tmp_path, FAST_DIES_AFTER=spot)
    await bot.start()
    await live_a_little(anna)
    await is_asked(anna)
    anna.hammers(anna.received[-1], "Yes, everything", times=1)
    assert await bot.ended(within_s=START_S) == -signal.SIGKILL
    next_bot = bot_before(sandbox, tmp_path)
    await next_bot.start()
    assert traces(tmp_path) == []
    if not spot.endswith(("reduce", "wipe")):  # after these nobody knows any more whom to tell
        await anna.sees("know nothing about you")
    assert not list((tmp_path / "results").iterdir())
    assert await next_bot.stop() == 0
    assert "Traceback" not in bot.log


@pytest.mark.soak
async def test_a_process_that_is_killed_at_any_moment_goes_on_when_it_starts(
    sandbox: FaultySandbox, anna: Actor, tmp_path: Path
) -> None:
    for moment in range(3):
        data = tmp_path / str(moment)
        bot = bot_before(sandbox, data)
        await bot.start()
        await live_a_little(anna)
        await is_asked(anna)
        anna.hammers(anna.received[-1], "Yes, everything", times=1)
        pressed = {anna.received[-1].id}
        await asyncio.sleep(random.uniform(0.0, 0.15))
        await bot.kill()
        await bot.start()
        # Killed before the press was read, it is read now; killed before it was noted what was
        # asked, it is asked once more.
        await anna.until(partial(is_clean_or_pressed, anna, data, pressed), awaited="no trace")
        assert await bot.stop() == 0


def is_clean_or_pressed(anna: Actor, data: Path, pressed: set[int]) -> bool:
    """Whether there is no trace; if she is asked once more, she says yes once more."""
    question = anna.received[-1]
    if question.buttons and "everything" in question.buttons[0]["text"]:
        if question.id not in pressed:
            anna.hammers(question, "Yes, everything", times=1)
        pressed.add(question.id)
    return is_clean(data)


async def test_who_is_forgotten_is_forgotten_with_the_copies_that_others_have(
    sandbox: FaultySandbox, anna: Actor, ben: Actor, tmp_path: Path
) -> None:
    bot = bot_before(sandbox, tmp_path, FAST_STEPS="200", FAST_STEP_S="0.5")
    await bot.start()
    chat = sandbox.world.open_group(GROUP_ID, "Painters")
    anna_there, ben_there = (Actor(sandbox, each.person, chat) for each in (anna, ben))
    hers = await anna_there.sends_photo(photo(7, (200, 100)))
    # One that is being painted, one that waits, and one that he chooses a style for.
    for _ in range(2):
        await ben_there.sends("/style", reply_to=hers)
        await ben_there.presses("Yes", on=await ben_there.sees("ready styles"))
        gallery = await ben_there.sees("Choose a style")
        await ben_there.presses(gallery.buttons[0]["text"], on=gallery)
        await ben_there.sees(ACCEPTED)
    await ben_there.sends("/style", reply_to=hers)
    await ben_there.sees("ready styles")
    his = tmp_path / "originals" / str(BEN_ID)
    assert len(list(his.iterdir())) == 3
    await anna.sends("/start")
    await is_asked(anna)
    await anna.presses("Yes, everything")
    await anna.sees("know nothing about you")
    assert list(his.iterdir()) == []
    assert traces(tmp_path) == []
    gone = "The picture is no longer here"
    await ben_there.until(
        lambda: [m for m in ben_there.received if gone in m.text][1:], awaited="two sentences"
    )
    await ben_there.waits_until_idle()
    assert not any(map(is_result, ben_there.received))
    assert await bot.stop() == 0
    assert "Traceback" not in bot.log
