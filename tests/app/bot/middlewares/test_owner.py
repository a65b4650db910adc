"""Who may press the buttons of what was ordered on behalf of a chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiosqlite
import pytest
import pytest_asyncio

from app import application
from app.bot.transport.administrators import BELIEVED_S
from app.bot.transport.rate_limiter import Rate, RateLimits
from app.sandbox.world import CallbackQuery, Chat, Message
from tests.app.bot.application_harness import ApplicationHarness, open_harness
from tests.app.bot.reporter_harness import eventually
from tests.e2e.actor import Actor
from tests.e2e.pictures import photo
from tests.e2e.test_conversations import preset_names

FIRST = preset_names("en")[0]
FORGET = "everything"


@dataclass
class Group:
    """A group of which Anna and Ada are administrators, Ben a member."""

    harness: ApplicationHarness
    anna: Actor
    ada: Actor
    ben: Actor

    @classmethod
    def of(cls, harness: ApplicationHarness) -> Group:
        members = [harness.new_person(name) for name in ("Anna", "Ada", "Ben")]
        group = cls(harness, *harness.group(*members))
        group.chat.administrators = [group.anna.person.user, group.ada.person.user]
        return group

    @property
    def chat(self) -> Chat:
        return self.anna.chat

    def open_channel(self, *administrators: Actor) -> Chat:
        channel = self.harness.sandbox.world.open_group(self.chat.id - 500, "A channel")
        channel.kind = "channel"
        channel.administrators = [actor.person.user for actor in administrators]
        return channel


@pytest_asyncio.fixture
async def harness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ApplicationHarness]:
    quick = Rate(per_minute=6000, burst=100)
    monkeypatch.setattr(application, "rate_limits", lambda _: RateLimits(group=quick))
    async with open_harness(tmp_path, flood_burst_messages=12) as harness, harness.running():
        yield harness


@pytest.fixture
def group(harness: ApplicationHarness) -> Group:
    return Group.of(harness)


def answer_to(query: CallbackQuery) -> str:
    assert query.answer is not None
    return str(query.answer["text"])


async def answer_in(actor: Actor, text: str, *, reply_to: Message | None = None) -> Message:
    """The first message that the bot sends in the chat after this was said."""
    said = await actor.sends(text, reply_to=reply_to)
    return await newer(actor, said)


async def newer(actor: Actor, than: Message) -> Message:
    return await actor.until(lambda: next((m for m in actor.received if m.id > than.id), None))


async def order(actor: Actor, *, pressed_by: Actor) -> Message:
    shot = await actor.sends_photo(photo(1))
    question = await answer_in(actor, "/style", reply_to=shot)
    await pressed_by.presses("Yes", on=question)
    await pressed_by.presses(FIRST)
    result = await newer(actor, actor.received[-1])
    await actor.finds(result, "Stronger")
    return result


async def test_what_an_anonymous_administrator_orders_any_of_them_may_press(group: Group) -> None:
    group.anna.person.speaks_as = group.chat
    result = await order(group.anna, pressed_by=group.anna)
    refused = await group.ben.presses("Stronger", on=result)
    assert "for the administrators" in answer_to(refused)
    await group.ada.presses("Stronger", on=result)
    await group.ada.finds(await newer(group.ada, result), "Weaker")


async def test_buttons_of_an_anonymous_order_are_nobody_else_s(group: Group) -> None:
    group.anna.person.speaks_as = group.chat
    menu = await answer_in(group.anna, "/settings")
    refused = await group.ben.presses("Strength", on=menu)
    assert "for the administrators" in answer_to(refused)
    await group.ada.presses("Strength", on=menu)
    await group.ada.presses("25%", on=menu)
    await group.ada.reads(menu, "Strength: 25%")
    group.anna.person.speaks_as = None
    own = await answer_in(group.anna, "/settings")
    assert "Strength: 25%" not in own.text


async def test_forget_of_an_anonymous_administrator_deletes_what_the_group_ordered(
    group: Group, tmp_path: Path
) -> None:
    await order(group.ben, pressed_by=group.ben)
    group.anna.person.speaks_as = group.chat
    await order(group.anna, pressed_by=group.ada)
    await group.anna.sends("/forget")
    question = await group.anna.sees("Shall I")
    assert "for the administrators" in answer_to(await group.ben.presses(FORGET, on=question))
    await group.ada.presses(FORGET, on=question)
    await group.ada.reads(question, "Done")
    async with aiosqlite.connect(tmp_path / "jobs.sqlite3") as database:
        found = await database.execute_fetchall("SELECT DISTINCT user_id FROM jobs")
    assert [row[0] for row in found] == [group.ben.id]


async def test_a_channel_s_administrators_may_press_what_was_ordered_as_the_channel(
    group: Group,
) -> None:
    channel = group.open_channel(group.ben)
    group.ben.person.speaks_as = channel
    await order(group.ben, pressed_by=group.ben)
    group.anna.person.speaks_as = channel
    menu = await answer_in(group.anna, "/settings")
    assert "for the administrators" in answer_to(await group.anna.presses("Strength", on=menu))


async def test_who_writes_as_an_unknown_channel_is_asked_to_write_otherwise(group: Group) -> None:
    group.ben.person.speaks_as = Chat(group.chat.id - 900, kind="channel", title="Elsewhere")
    await group.ben.sends("/style")
    await group.ben.sees("You write as a channel")
    group.ben.person.speaks_as = None
    await group.ben.sends("/style")
    await group.ben.sees("ready styles")


async def test_telegram_is_not_asked_at_each_press(group: Group) -> None:
    assert BELIEVED_S <= 60, "who is no administrator any more must not press for long"
    group.anna.person.speaks_as = group.chat
    await group.anna.sends("/style")
    question = await group.anna.sees("ready styles")
    await group.ben.presses("Yes", on=question)
    await group.ben.presses("Yes", on=question)
    assert group.harness.calls("getChatAdministrators") == 1


async def test_one_group_s_anonymous_flood_is_not_another_s(
    harness: ApplicationHarness, group: Group
) -> None:
    other = Group.of(harness)
    for each in (group, other):
        each.anna.person.speaks_as = each.chat
    for _ in range(40):
        await group.anna.sends("/help")
    await group.anna.until(lambda: harness.calls("sendMessage") >= 4)
    await other.anna.sends("/help")
    await other.anna.sees("two ways")
    assert not [message for message in other.anna.received if "more than I" in message.text]


async def test_a_forger_presses_nobody_s_buttons_on_behalf_of_a_chat(group: Group) -> None:
    await group.ben.sends("/settings")
    menu = await group.ben.sees("settings")
    for owner in (group.chat.id, -1):
        query = group.ben.person.press(menu, f"forget:{owner}:1")
        await eventually(lambda query=query: query.answer)  # type: ignore[misc]
        assert "for the administrators" in answer_to(query)
