"""Conversations and updates survive the process; nothing stays for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiogram.exceptions import DataNotDictLikeError
from aiogram.fsm.storage.base import StorageKey

from app.bot.chat_database import open_chat_database
from app.bot.conversation import fsm_storage as module
from app.bot.conversation.fsm_storage import KEEP_CONVERSATIONS_S, ConversationStorage
from app.bot.conversation.states import Talk
from app.bot.transport.inbox import KEEP_UPDATES_S, MAX_ATTEMPTS, Inbox
from app.storage.database import Database

ANNA = StorageKey(bot_id=1, chat_id=10, user_id=10)
ANNA_IN_GROUP = StorageKey(bot_id=1, chat_id=-5, user_id=10)
IN_TOPIC = StorageKey(bot_id=1, chat_id=-5, user_id=10, thread_id=3)
BEN = StorageKey(bot_id=1, chat_id=20, user_id=20)


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def storage_of(database: Database, **more: Any) -> ConversationStorage:
    return ConversationStorage(database, **more)


def inbox_of(database: Database, *, bot_id: int = 1, **more: Any) -> Inbox:
    return Inbox(database, bot_id=bot_id, **more)


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_chat_database(tmp_path / "chats.sqlite3")
    yield opened
    await opened.close()


async def test_a_conversation_survives_a_restart(tmp_path: Path) -> None:
    database = await open_chat_database(tmp_path / "chats.sqlite3")
    storage = storage_of(database)
    await storage.set_state(ANNA, Talk.roles)
    await storage.set_data(ANNA, {"photos": ["ёж.jpg"], "question": 7})
    await database.close()

    database = await open_chat_database(tmp_path / "chats.sqlite3")
    storage = storage_of(database)
    assert await storage.get_state(ANNA) == Talk.roles.state
    assert await storage.get_data(ANNA) == {"photos": ["ёж.jpg"], "question": 7}
    await database.close()


async def test_conversations_don_t_mix(database: Database) -> None:
    storage = storage_of(database)
    for number, key in enumerate((ANNA, ANNA_IN_GROUP, IN_TOPIC, BEN)):
        await storage.set_data(key, {"number": number})
    numbers = [(await storage.get_data(key))["number"] for key in (ANNA, ANNA_IN_GROUP, IN_TOPIC)]
    assert numbers == [0, 1, 2]
    await storage.set_state(ANNA, None)
    assert await storage.get_data(ANNA) == {"number": 0}
    assert await storage.get_state(BEN) is None


async def test_data_must_be_a_dict(database: Database) -> None:
    not_a_dict: Any = ["list"]
    with pytest.raises(DataNotDictLikeError):
        await storage_of(database).set_data(ANNA, not_a_dict)


async def test_forget_takes_a_person_out_of_every_chat(database: Database) -> None:
    storage = storage_of(database)
    for key in (ANNA, ANNA_IN_GROUP, BEN):
        await storage.set_state(key, Talk.photo)
    await storage.forget(10)
    states = [await storage.get_state(key) for key in (ANNA, ANNA_IN_GROUP, BEN)]
    assert states == [None, None, Talk.photo.state]


async def test_forget_leaves_no_word_in_any_file(tmp_path: Path, database: Database) -> None:
    storage = storage_of(database)
    await storage.set_data(ANNA, {"question": "a word of Anna's"})
    await storage.forget(10)
    await database.wipe()
    assert b"a word of Anna" not in everything_in(tmp_path)


def everything_in(folder: Path) -> bytes:
    files = list(folder.glob("chats.sqlite3*"))
    assert files
    return b"".join(file.read_bytes() for file in files)


async def test_ended_and_old_conversations_are_pruned(database: Database) -> None:
    clock = Clock()
    storage = storage_of(database, clock=clock)
    await storage.set_state(ANNA, Talk.photo)
    clock.now += KEEP_CONVERSATIONS_S + 1
    await storage.set_state(BEN, Talk.photo)
    await storage.set_state(ANNA_IN_GROUP, None)
    await storage.prune()
    assert [row["chat_id"] for row in await rows(database, "conversations")] == [20]


async def test_an_update_is_new_once(database: Database) -> None:
    inbox = inbox_of(database)
    first, second = {"update_id": 5}, {"update_id": 6}
    assert await inbox.take_in([first]) == [first]
    assert await inbox.take_in([first, second, second]) == [second]
    await inbox.handled([5])
    assert await inbox.take_in([first]) == []
    assert await inbox_of(database, bot_id=2).take_in([first]) == [first]


async def test_what_json_can_t_say_is_left_out(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = inbox_of(database)
    odd, good = {"update_id": 5, "message": float("nan")}, {"update_id": 6}
    assert await inbox.take_in([odd, good]) == [good]
    assert await inbox.take_in([odd]) == []
    assert caplog.messages == ["an update can't be kept"] * 2


async def test_only_unhandled_updates_come_back_and_in_their_order(database: Database) -> None:
    clock = Clock()
    inbox = inbox_of(database, clock=clock)
    await inbox.take_in([{"update_id": 900}])
    clock.now += 1
    # After an idle week the numbers start again anywhere.
    await inbox.take_in([{"update_id": 7, "message": "ёж"}, {"update_id": 8}])
    await inbox.handled([8])
    assert await inbox.unhandled() == [{"update_id": 900}, {"update_id": 7, "message": "ёж"}]


async def test_an_update_that_takes_the_process_down_is_given_up(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = inbox_of(database)
    await inbox.take_in([{"update_id": 5}])
    came_back = []
    for _ in range(MAX_ATTEMPTS + 1):
        found = await inbox.unhandled()
        await inbox.started(update["update_id"] for update in found)
        came_back.append(len(found))
    assert came_back == [1] * MAX_ATTEMPTS + [0]
    assert caplog.messages.count("an update is given up") == 1
    assert await inbox.take_in([{"update_id": 5}]) == []


async def test_ordinary_restarts_are_no_attempts(database: Database) -> None:
    inbox = inbox_of(database)
    await inbox.take_in([{"update_id": 5}, {"update_id": 6}])
    for _ in range(2 * MAX_ATTEMPTS):
        # One of them was being handled each time, and was cut short by the stop.
        assert [update["update_id"] for update in await inbox.unhandled()] == [5, 6]
        await inbox.started([5])
        await inbox.put_back([5])


async def test_what_was_said_is_forgotten_once_handled(database: Database) -> None:
    clock = Clock()
    inbox = inbox_of(database, clock=clock)
    await inbox.take_in([{"update_id": 5, "message": {"text": "secret"}}, {"update_id": 6}])
    await inbox.handled([5])
    bodies = {row["update_id"]: row["body"] for row in await rows(database, "updates")}
    assert bodies[5] is None
    clock.now += KEEP_UPDATES_S + 1
    await inbox.prune()
    assert [row["update_id"] for row in await rows(database, "updates")] == [6]


async def rows(database: Database, table: str) -> list[Any]:
    return await database.fetch_all(f"SELECT * FROM {table}")  # noqa: S608 - a name of ours


async def test_many_writes_at_once_all_arrive_in_their_order(database: Database) -> None:
    storage = storage_of(database)
    keys = [StorageKey(bot_id=1, chat_id=n, user_id=n) for n in range(100)]
    for number in (1, 2):
        await asyncio.gather(*(storage.set_data(key, {"n": number}) for key in keys))
    written = [row["data"] for row in await rows(database, "conversations")]
    assert written == ['{"n": 2}'] * len(keys)


async def test_memory_of_conversations_is_bounded(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_RECENT", 3)
    storage = storage_of(database)
    keys = [StorageKey(bot_id=1, chat_id=n, user_id=n) for n in range(10)]
    for key in keys:
        await storage.set_state(key, Talk.photo)
    assert len(storage._recent) == 3
    assert {await storage.get_state(key) for key in keys} == {Talk.photo.state}
