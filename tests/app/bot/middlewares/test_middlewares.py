"""What middlewares let through: the allow-list, groups, and floods."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiogram import Bot
from aiogram.types import Message, Update, User

from app.bot.middlewares.addressed import is_addressed
from app.bot.middlewares.throttling import MIN_PAUSE_S, REMEMBERED_PEOPLE, ThrottlingMiddleware
from app.bot.routers.fallback import is_for_another_bot
from app.bot.transport.rate_limiter import Rate
from app.bot.ui.i18n import load_i18n
from tests.app.bot.application_harness import GROUP_IDS, ApplicationHarness, open_harness

ME = User(id=1, is_bot=True, first_name="Bot", username="Style_Bot")
ANNA = {"id": 5, "is_bot": False, "first_name": "Anna"}
GROUP = {"id": -7, "type": "supergroup", "title": "Painters"}


def said(text: str, **more: Any) -> Message:
    kinds = {"/": "bot_command", "@": "mention"}
    entities = [
        {"type": kinds[word[0]], "offset": text.index(word), "length": len(word)}
        for word in text.split()
        if word[0] in kinds
    ]
    content = {"text": text, "entities": entities} | more
    about = {"message_id": 1, "date": 0, "chat": GROUP, "from": ANNA}
    return Message.model_validate(about | content)


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("/help", True),
        ("/help@style_bot", True),
        ("/help@another_bot", False),
        ("hello", False),
        ("hello @Style_Bot", True),
        ("hello @Style_Bottle", False),
        ("see /help", False),
    ],
)
def test_what_is_said_to_the_bot_in_a_group(text: str, heard: bool) -> None:
    assert is_addressed(said(text), ME) is heard


def test_a_reply_is_addressed_to_its_author() -> None:
    about = {"message_id": 2, "date": 0, "chat": GROUP}
    to_me = about | {"from": ME.model_dump(), "text": "hello"}
    to_anna = about | {"from": ANNA, "text": "hello"}
    assert is_addressed(said("yes", reply_to_message=to_me), ME)
    assert not is_addressed(said("yes", reply_to_message=to_anna), ME)


@pytest.mark.parametrize(
    ("text", "theirs"), [("/weather", True), ("/weather@Style_Bot", False), ("hello", False)]
)
def test_a_command_nobody_here_knows_is_left_to_the_other_bots(text: str, theirs: bool) -> None:
    bot = Bot("1:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0")
    assert is_for_another_bot(said(text), bot) is theirs


def test_a_person_without_a_username_can_mean_the_bot_by_its_name() -> None:
    entity = {"type": "text_mention", "offset": 0, "length": 3, "user": ME.model_dump()}
    assert is_addressed(said("Bot, hello", entities=[entity]), ME)


async def test_a_press_without_a_message_is_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_harness(tmp_path) as harness, harness.running():
        ben = harness.new_person()
        message = await ben.sends("/start")
        for data in (f"source:{ben.id}:1", f"cancel:{ben.id}", "job:stop:1", "nonsense"):
            query = ben.person.press(message, data)
            del harness.sandbox.world.updates.recent[-1]["callback_query"]["message"]
            await ben.until(lambda query=query: query.answer, awaited="an answer")  # type: ignore[misc]
            assert query.answer is not None
            assert query.answer["text"]
    assert "Traceback" not in caplog.text


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Throttled:
    """Ten messages at once, then one a second; warnings are collected instead of sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Clock()
        self.i18n = load_i18n()
        self.update = Update(update_id=1, message=said("hello"))
        self.middleware = ThrottlingMiddleware(Rate(per_minute=60, burst=10), clock=self.clock)
        self.handled = 0
        self.warnings: list[str] = []

        async def answer(_: Message, text: str) -> None:
            self.warnings.append(text)

        monkeypatch.setattr(Message, "answer", answer)

    async def receive(self, count: int = 1, user_id: int = 5) -> None:
        user = User(id=user_id, is_bot=False, first_name="x")
        with self.i18n.context(), self.i18n.use_locale("en"):
            for _ in range(count):
                await self.middleware(self._handle, self.update, {"event_from_user": user})

    async def _handle(self, *_: object) -> None:
        self.handled += 1


async def test_a_flood_gets_one_warning_and_then_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    throttled = Throttled(monkeypatch)
    await throttled.receive(100)
    assert throttled.handled == 10
    assert throttled.warnings == [
        f"That is more than I can read. I will listen again in {MIN_PAUSE_S:.0f} seconds."
    ]


async def test_a_flood_is_listened_to_again(monkeypatch: pytest.MonkeyPatch) -> None:
    throttled = Throttled(monkeypatch)
    await throttled.receive(11)
    throttled.clock.now += 60
    await throttled.receive(100)
    assert throttled.handled == 20
    assert len(throttled.warnings) == 2


async def test_a_flood_of_one_is_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    throttled = Throttled(monkeypatch)
    await throttled.receive(100, user_id=5)
    await throttled.receive(10, user_id=6)
    assert throttled.handled == 20


async def test_those_who_are_quiet_again_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    throttled = Throttled(monkeypatch)
    for user_id in range(3 * REMEMBERED_PEOPLE):
        await throttled.receive(user_id=user_id)
        throttled.clock.now += 2
    assert len(throttled.middleware._people) <= REMEMBERED_PEOPLE + 1


@pytest_asyncio.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[ApplicationHarness]:
    settings = {"allowed_user_ids": "1", "admin_ids": "2"}
    async with open_harness(tmp_path, **settings) as harness, harness.running():
        yield harness


async def test_a_stranger_hears_one_sentence_and_nothing_else(guarded: ApplicationHarness) -> None:
    stranger = guarded.new_person()
    message = await stranger.sends("/start")
    refusal = await stranger.sees("small circle")
    assert str(stranger.id) in refusal.text
    query = stranger.person.press(message, f"source:{stranger.id}:1")
    await stranger.until(lambda: query.answer)
    (there,) = guarded.group(stranger)
    await there.sends("/start")
    friend = guarded.sandbox.add_person(1, "Friend")
    guarded.sandbox.people[1].write("/help")
    await stranger.until(lambda: any("two ways" in m.text for m in friend.chat.messages.values()))
    assert not there.received
    assert len(stranger.received) == 1


async def test_who_is_in_an_invited_group_may_ask_there(tmp_path: Path) -> None:
    # The next group that the harness opens.
    group_id = next(GROUP_IDS) - 1
    async with open_harness(tmp_path, allowed_chat_ids=str(group_id)) as harness, harness.running():
        member = harness.new_person()
        (there,) = harness.group(member)
        assert there.chat.id == group_id
        await there.sends("/help")
        await there.sees("two ways")
        await member.sends("/help")
        await member.sees("small circle")
