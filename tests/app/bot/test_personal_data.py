"""Forgetting a person where a store fails, and of what others have said."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.bot import chat_database
from app.bot.chat_database import open_chat_database
from app.bot.transport.borrowed_pictures import BorrowedPictures
from app.bot.transport.inbox import Inbox
from app.bot.transport.senders import without_person
from app.storage.database import Database
from tests.app.bot.application_harness import open_harness
from tests.e2e.pictures import photo

ANNA_ID = 7_312_345_678
ANNA: dict[str, Any] = {"id": ANNA_ID, "is_bot": False, "first_name": "Анна", "username": "anna_y"}
BEN: dict[str, Any] = {"id": 7_287_654_321, "is_bot": False, "first_name": "Ben"}
GROUP = {"id": -100_5, "type": "supergroup", "title": "Painters"}


@pytest_asyncio.fixture
async def chats(tmp_path: Path) -> AsyncIterator[Database]:
    database = await open_chat_database(tmp_path / "chats.sqlite3")
    yield database
    await database.close()


def said(update_id: int, sender: dict[str, Any], **more: Any) -> dict[str, Any]:
    message = {"message_id": update_id, "date": 0, "chat": GROUP, "from": sender, **more}
    return {"update_id": update_id, "message": message}


async def test_what_can_not_be_deleted_is_said_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_database, "TIDY_EVERY_S", 3.0)
    is_stuck = True
    rmtree = shutil.rmtree

    def may_fail(path: Path, *args: Any, **kwargs: Any) -> None:
        if is_stuck and path.parent.name == "originals":
            raise PermissionError(13, "Permission denied", str(path))
        rmtree(path, *args, **kwargs)

    monkeypatch.setattr(shutil, "rmtree", may_fail)
    async with open_harness(tmp_path) as harness, harness.running():
        ben = harness.new_person()
        await ben.sends_photo(photo(1))
        await ben.sees("second one")
        await ben.sends("/forget")
        await ben.presses("Yes, everything")
        await ben.sees("could not delete everything")
        assert (tmp_path / "originals" / str(ben.id)).exists()
        is_stuck = False
        await ben.sees("know nothing about you")
        assert not (tmp_path / "originals" / str(ben.id)).exists()


async def test_a_failure_is_remembered_over_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_harness(tmp_path) as harness:
        ben = harness.new_person()
        with monkeypatch.context() as broken:
            broken.setattr(shutil, "rmtree", _refuse)
            async with harness.running():
                await ben.sends_photo(photo(1))
                await ben.sees("second one")
                await ben.sends("/forget")
                await ben.presses("Yes, everything")
                await ben.sees("could not delete everything")
        async with harness.running():
            await ben.sees("know nothing about you")
            assert not (tmp_path / "originals" / str(ben.id)).exists()


def _refuse(path: Path, *args: Any, **kwargs: Any) -> None:
    raise OSError(5, "Input/output error", str(path))


async def test_in_what_others_said_nobody_takes_their_place(chats: Database) -> None:
    inbox = Inbox(chats, bot_id=1)
    hers = said(1, ANNA, text="/forget")
    his = said(2, BEN, text="/style", reply_to_message=said(1, ANNA)["message"])
    await inbox.take_in([hers, his])
    await inbox.forget(ANNA_ID)
    (left,) = await inbox.unhandled()
    assert left["message"]["from"] == BEN
    assert left["message"]["text"] == "/style"
    assert "Анна" not in json.dumps(left, ensure_ascii=False)
    assert str(ANNA_ID) not in json.dumps(left)


def test_a_press_and_a_private_chat_are_theirs() -> None:
    press = {"update_id": 1, "callback_query": {"id": "5", "from": ANNA, "data": "x"}}
    private = said(2, BEN) | {"message": {"message_id": 2, "chat": {"id": ANNA_ID}}}
    assert without_person(press, ANNA_ID) is None
    assert without_person(private, ANNA_ID) is None


async def test_notes_of_copies_go_with_either_person_and_with_the_file(
    chats: Database, tmp_path: Path
) -> None:
    now = 1_000_000.0
    borrowed = BorrowedPictures(chats, tmp_path, clock=lambda: now)
    for name, holder_id in (("kept", 1), ("gone", 1), ("his", 2)):
        await borrowed.note(name, holder_id=holder_id, owner_id=9)
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "kept.jpeg").touch()
    await borrowed.prune()
    assert len(await borrowed.of(9)) == 3, "a file may still be on its way"
    now += 7200
    await borrowed.forget(2)
    await borrowed.prune()
    assert await borrowed.of(9) == [tmp_path / "1" / "kept"]
    await borrowed.forget(9)
    assert await borrowed.of(9) == []
