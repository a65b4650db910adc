"""A result goes to another chat, sent by its owner alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.sandbox.world import InlineQuery, Message
from styles.catalog import default_catalog
from tests.app.bot.application_harness import ApplicationHarness, open_harness
from tests.e2e.actor import Actor
from tests.e2e.pictures import photo

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST = default_catalog().presets()[0].name("en")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ApplicationHarness]:
    async with open_harness(tmp_path_factory.mktemp("data")) as harness, harness.running():
        yield harness


@pytest.fixture
def ben(harness: ApplicationHarness) -> Actor:
    return harness.new_person()


async def painted(actor: Actor) -> Message:
    await actor.sends("/style")
    await actor.presses("Yes")
    await actor.presses(FIRST)
    await actor.sends_photo(photo(1))
    result = await actor.sees_result()
    await actor.waits_until_idle()
    return result


def query_of(result: Message) -> str:
    """What the button puts after the bot's name in the chat that was chosen."""
    (button,) = (button for button in result.buttons if "Share" in button["text"])
    return str(button["switch_inline_query_chosen_chat"]["query"])


async def answered(actor: Actor, text: str) -> InlineQuery:
    query = actor.person.ask_inline(text)
    await actor.until(lambda: query.contents is not None, awaited="an answer to the query")
    return query


async def test_a_result_is_shared_in_two_taps(harness: ApplicationHarness, ben: Actor) -> None:
    result = await painted(ben)
    query = await answered(ben, query_of(result))
    assert query.is_personal
    assert query.contents is not None
    ((result_id, content),) = query.contents.items()
    assert content["photo"] == result.content["photo"]
    (there,) = harness.group(ben)
    shared = ben.person.send_inline(query, result_id, there.chat)
    assert FIRST in shared.text


async def test_nobody_else_is_offered_it(harness: ApplicationHarness, ben: Actor) -> None:
    result = await painted(ben)
    stranger = harness.new_person()
    for text in (query_of(result), "", "x", "0", "-1", "9" * 4000, "²", "1 OR 1=1"):
        assert (await answered(stranger, text)).contents == {}


async def test_without_words_the_last_results_are_offered(ben: Actor) -> None:
    result = await painted(ben)
    contents = (await answered(ben, "")).contents
    assert contents is not None
    assert list(contents) == [query_of(result)]


async def test_what_was_deleted_is_offered_no_more(ben: Actor) -> None:
    result = await painted(ben)
    text = query_of(result)
    await ben.presses("Delete", on=result)
    await ben.until(lambda: result not in ben.received, awaited="the result to go")
    assert (await answered(ben, text)).contents == {}
    assert (await answered(ben, "")).contents == {}


async def test_without_inline_mode_there_is_no_button(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with open_harness(tmp_path_factory.mktemp("plain")) as plain:
        plain.sandbox.world.has_inline_mode = False
        async with plain.running():
            result = await painted(plain.new_person())
    assert not any("Share" in button["text"] for button in result.buttons)
