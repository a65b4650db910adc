"""Telegram's failures: nothing lost, nothing twice, and calm in between."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

from app.sandbox.errors import NOT_MODIFIED, bad_request
from app.sandbox.world import Message
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

ON_ITS_WAY_S = 0.1
"""What was sent before the refusal had come back can't be called back: the handler's last edit
and the status message's first often leave in the same moment."""


@pytest.fixture
def harness(stub_harness: BotHarness) -> BotHarness:
    stub_harness.sandbox.faults.clear()
    return stub_harness


async def order(person: Actor, seed: int = 0) -> None:
    await person.sends_photos(photo(seed), painting(seed))
    await person.presses("2")


def results(person: Actor) -> list[Message]:
    return [message for message in person.received if is_result(message)]


async def one_result(person: Actor) -> Message:
    """The result arrives, and when the queue is empty it is still the only one."""
    found = await person.sees_result()
    await person.waits_until_idle()
    assert results(person) == [found], person.transcript()
    return found


@pytest.mark.parametrize("method", ["editMessageMedia", "sendMessage"])
async def test_the_picture_arrives_after_the_silence_that_was_asked_for(
    harness: BotHarness, ben: Actor, method: str
) -> None:
    fault = harness.sandbox.faults.too_many_requests(method, retry_after_s=3, chat_id=ben.id)
    await order(ben)
    await one_result(ben)
    assert fault.met == 1
    calls = [call for call in harness.sandbox.world.calls if call.chat_id == ben.id]
    refused = next(call for call in calls if call.method == method and not call.ok)
    told_at = refused.at + ON_ITS_WAY_S
    assert not [call for call in calls if told_at < call.at < refused.at + 2.9]


@pytest.mark.parametrize("code", [500, 502])
async def test_server_errors_are_met_with_another_try(
    harness: BotHarness, ben: Actor, code: int
) -> None:
    harness.sandbox.faults.server_error("editMessageMedia", code=code, times=2)
    harness.sandbox.faults.server_error("getFile", code=code)
    await order(ben, 1)
    await one_result(ben)


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("method", ["editMessageMedia", "getFile", "getUpdates"])
async def test_a_dropped_connection_neither_loses_nor_doubles_the_result(
    harness: BotHarness, ben: Actor, method: str, after_effect: bool
) -> None:
    harness.sandbox.faults.drop(method, after_effect=after_effect, times=2)
    await order(ben, 2)
    await one_result(ben)


async def test_a_status_message_that_was_deleted_is_replaced(
    harness: BotHarness, ben: Actor
) -> None:
    await order(ben, 3)
    status = await ben.sees(ACCEPTED)
    harness.sandbox.world.remove(status)
    assert (await one_result(ben)).id != status.id


async def test_not_modified_is_no_failure(harness: BotHarness, ben: Actor) -> None:
    for method in ("editMessageText", "editMessageCaption"):
        harness.sandbox.faults.refuse(method, bad_request(NOT_MODIFIED), times=3)
    await order(ben, 4)
    await one_result(ben)


async def test_the_same_update_twice_makes_one_job(harness: BotHarness, ben: Actor) -> None:
    updates = harness.sandbox.world.updates
    accepted_before = harness.bot.log.count("job accepted")
    await ben.sends_photos(photo(5), painting(5))
    question = await ben.sees("Which one gives the style")
    query = await ben.presses("2", on=question)
    update = next(u for u in updates.recent if u.get("callback_query", {}).get("id") == query.id)
    for _ in range(3):
        updates.repeat(update)
    await one_result(ben)
    assert harness.bot.log.count("job accepted") == accepted_before + 1


async def test_a_second_bot_with_the_same_token_is_met_with_patience(
    harness: BotHarness, ben: Actor
) -> None:
    harness.sandbox.faults.conflict(times=2)
    await ben.sends("/help")
    await ben.sees("two ways", within_s=60)
    # The poll that fails follows the one that brought the question; the answer may be quicker.
    await ben.until(lambda: "same token" in harness.bot.log, awaited="a line in the log")
    await ben.sends("/start")
    await ben.sees("Hello", within_s=60)


async def test_a_download_that_stalls_is_given_up_with_a_sentence(
    harness: BotHarness, ben: Actor
) -> None:
    harness.sandbox.faults.stall("download", seconds=40, times=2)
    await ben.sends_photo(photo(6))
    await ben.sends("/queue")  # everything else goes on
    await ben.sees("did not come through", within_s=60)
    await order(ben, 6)
    await one_result(ben)


async def test_a_download_that_breaks_off_is_tried_again(harness: BotHarness, ben: Actor) -> None:
    harness.sandbox.faults.short_download()
    await order(ben, 7)
    await one_result(ben)


async def test_a_download_that_lies_about_its_size_is_capped(
    harness: BotHarness, ben: Actor
) -> None:
    harness.sandbox.faults.lying_download(size=60 * 1024 * 1024)
    await ben.sends_photo(photo(8))
    await ben.sees("20 MB")
    sizes = [path.stat().st_size for path in harness.data.rglob("*") if path.is_file()]
    assert max(sizes) < 20 * 1024 * 1024


async def test_who_blocks_the_bot_in_mid_job_frees_the_gpu(harness: BotHarness, ben: Actor) -> None:
    other = harness.new_person()
    await order(ben, 9)
    await ben.sees(ACCEPTED)
    ben.person.block()
    await order(other, 9)
    await one_result(other)
    ben.person.unblock()
    await ben.waits_until_idle()
    assert not results(ben)


async def test_a_flood_from_one_person_does_not_silence_the_others(
    harness: BotHarness, ben: Actor
) -> None:
    flood = harness.new_person("Flo")
    for number in range(80):
        await flood.sends(f"message {number}")
    await ben.sends("/help")
    await ben.sees("two ways")
    assert len(flood.received) < 16, "the flood is still being answered"
    await flood.sees("more than I can read")
    assert len(flood.received) < 80


async def test_a_result_that_telegram_refuses_holds_up_nobody_else_s(harness: BotHarness) -> None:
    anna, ben = harness.group(harness.new_person("Anna"), harness.new_person("Ben"))
    fault = harness.sandbox.faults.server_error("sendMediaGroup", code=500, times=None)
    await anna.sends_photos(photo(30), photo(31), caption="/style")
    await anna.presses("Yes")
    await anna.presses(preset_names("en")[0])
    await anna.until(lambda: fault.met, awaited="an album that Telegram refuses")
    await ben.sends("/style", reply_to=await ben.sends_photo(photo(32)))
    await ben.presses("Yes", on=await ben.sees("I have your photo[.]"))
    await ben.presses(preset_names("en")[0])
    await ben.sees_result()
    harness.sandbox.faults.clear()
    await anna.until(lambda: [m for m in anna.received if m.media_group_id], awaited="the album")
    await anna.sees("All of them once more")
    assert len([m for m in anna.received if m.media_group_id]) == 2


FLOODS = {"many people in one group": (1, 45), "a few people in many groups": (9, 5)}
COMMANDS_EACH = 120


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_that_waits_for_a_slow_chat_holds_up_nobody_else(
    tmp_path: Path, flood: str
) -> None:
    groups, people = FLOODS[flood]
    async with running_harness(tmp_path, STEPS, command=FAST) as harness:
        members = [harness.new_person() for _ in range(people)]
        floods = [member for _ in range(groups) for member in harness.group(*members)]
        for _, member in itertools.product(range(COMMANDS_EACH), floods):
            await member.sends("/help")
        ben = harness.new_person()
        await ben.sends("/help")
        await ben.sees("two ways")
        said = [message.text for message in floods[0].received]
        told = [text for text in said if "too much at once" in text]
        assert len(told) <= 1, said
        assert harness.bot.log.count("a flood is cut off") <= groups + people


async def test_settings_and_conversations_survive_a_restart(
    harness: BotHarness, ben: Actor
) -> None:
    await ben.sends("/settings")
    menu = await ben.sees("Your settings")
    await ben.presses("Strength", on=menu)
    await ben.presses("25%", on=menu)
    await ben.sees("Strength: 25%")
    await ben.sends_photos(photo(10), painting(10))
    question = await ben.sees("Which one gives the style")
    await ben.waits_until_idle()
    await harness.bot.kill()
    await ben.sends("/settings")
    await harness.bot.start()
    await ben.sees("Strength: 25%")
    await ben.presses("2", on=question)
    await one_result(ben)


async def test_a_stop_takes_no_longer_than_a_supervisor_grants(harness: BotHarness) -> None:
    people = [harness.new_person() for _ in range(3)]
    await asyncio.gather(*(order(person, 11) for person in people))
    assert await harness.bot.stop(within_s=10) == 0
    await harness.bot.start()
    for person in people:
        await one_result(person)


@pytest.mark.parametrize("method", ["download", "editMessageMedia"])
async def test_a_stop_while_telegram_keeps_silent_takes_no_longer_either(
    harness: BotHarness, ben: Actor, method: str
) -> None:
    """In the middle of a download, and of a picture on its way to the chat."""
    fault = harness.sandbox.faults.stall(method, seconds=60)
    await ben.sends_photos(photo(12), painting(12))
    if method != "download":
        await ben.presses("2")
    await ben.until(lambda: fault.met, awaited=f"a {method} that stalls")
    assert await harness.bot.stop(within_s=10) == 0
    harness.sandbox.faults.clear()
    await harness.bot.start()
    if method == "download":
        await ben.presses("2")
    await one_result(ben)
