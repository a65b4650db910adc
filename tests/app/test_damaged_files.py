"""Files that another version wrote, or that were damaged: the rest lives, and nothing is lost."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from app.storage.database import DamagedDatabaseError
from tests.app.bot.application_harness import ApplicationHarness, open_harness
from tests.e2e.actor import Actor
from tests.e2e.pictures import photo
from tests.patience import PATIENCE_S

RUBBISH = b"not a database, a shopping list: milk, bread" * 1000


@pytest_asyncio.fixture
async def harness(tmp_path: Path) -> AsyncIterator[ApplicationHarness]:
    async with open_harness(tmp_path) as harness:
        yield harness


async def uses_everything(ben: Actor) -> None:
    """Leaves something in each of the files."""
    await ben.sends("/settings")
    menu = await ben.sees("Your settings")
    await ben.presses("Strength", on=menu)
    await ben.presses("40%", on=menu)
    await ben.reads(menu, "Strength: 40")
    await ben.sends_photo(photo(1))
    await ben.sees("second one")


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as raw, raw:
        for statement in statements:
            raw.execute(statement)


def ruin(path: Path) -> None:
    """Overwrite every page but the first, as a failing disk does."""
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)


def put_aside(folder: Path, name: str) -> list[Path]:
    found = folder.glob(f"{name}.damaged-*")
    return [path for path in found if not path.name.endswith(("-wal", "-shm"))]


def move_away(path: Path) -> None:
    for part in path.parent.glob(f"{path.name}*"):
        part.unlink()


async def test_rows_of_another_version_stop_nothing(
    harness: ApplicationHarness, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ben = harness.new_person()
    async with harness.running():
        await uses_everything(ben)
    change(
        tmp_path / "preferences.sqlite3",
        "UPDATE preferences SET quality = 'sublime', language = 'eo', size_px = 7, brush = 'broad'",
    )
    change(
        tmp_path / "chats.sqlite3",
        "UPDATE conversations SET data = '{broken', state = 'Talk:video'",
        "UPDATE updates SET body = '{broken' WHERE update_id % 2",
        "UPDATE updates SET body = '[]' WHERE NOT update_id % 2",
    )
    async with harness.running():
        await ben.sends("/settings")
        menu = await ben.sees("Quality: as usual")
        assert "Strength: 40" in menu.text  # what is known still holds
        await ben.sends("/style")
        await ben.presses("Yes")
        await ben.sees("Choose a style")
    assert "Traceback" not in caplog.text
    assert "a stored update can't be read" in caplog.text
    assert "left open" in caplog.text


async def test_what_another_version_added_to_a_conversation_is_passed_over(
    harness: ApplicationHarness, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ben = harness.new_person()
    async with harness.running():
        await uses_everything(ben)
    change(
        tmp_path / "chats.sqlite3",
        "UPDATE conversations SET data = json_set(data, '$.is_video', 1, '$.look', json('7'))",
        "UPDATE conversations SET data = json_set(data, '$.question',"
        """ json('{"message_id": 5, "is_urgent": 1}')) WHERE destiny = 'question'""",
    )
    async with harness.running():
        await ben.sends_photo(photo(2))
        await ben.sees("have your picture|second one|Which one")
        await ben.sends("/style")
        await ben.presses("Yes")
        await ben.sees("Choose a style")
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("name", ["preferences.sqlite3", "chats.sqlite3"])
@pytest.mark.parametrize("how", ["rubbish", "ruined"])
async def test_a_damaged_file_is_kept_and_a_new_one_begun(
    harness: ApplicationHarness,
    tmp_path: Path,
    name: str,
    how: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ben = harness.new_person()
    async with harness.running():
        await uses_everything(ben)
    if how == "ruined":
        ruin(tmp_path / name)
    else:
        (tmp_path / name).write_bytes(RUBBISH)
    damaged = (tmp_path / name).read_bytes()
    async with harness.running():
        await ben.sends("/help")
        await ben.sees("two ways")
        await ben.sends("/settings")
        await ben.sees("Your settings")
    (kept,) = put_aside(tmp_path, name)
    assert kept.read_bytes() == damaged
    assert kept.name in caplog.text
    assert "Traceback" not in caplog.text


async def test_damaged_jobs_end_the_start_with_a_sentence(
    harness: ApplicationHarness, tmp_path: Path
) -> None:
    async with harness.running():
        pass
    ruin(tmp_path / "jobs.sqlite3")
    damaged = (tmp_path / "jobs.sqlite3").read_bytes()
    with pytest.raises(DamagedDatabaseError, match=r"jobs\.sqlite3 is damaged"):
        async with harness.running() as life:
            await life
    assert (tmp_path / "jobs.sqlite3").read_bytes() == damaged


@pytest.mark.parametrize("name", ["preferences.sqlite3", "chats.sqlite3", "jobs.sqlite3"])
async def test_damage_in_mid_run_ends_the_process_and_no_update_is_lost(
    harness: ApplicationHarness, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    ben, zoe = harness.new_person(), harness.new_person("Zoe")

    async def run_into_damage() -> None:
        async with harness.running() as life:
            await uses_everything(ben)
            ruin(tmp_path / name)
            await zoe.sends("/queue")
            await asyncio.wait([life], timeout=PATIENCE_S)
            assert life.done()

    with pytest.raises(DamagedDatabaseError, match="is damaged"):
        await run_into_damage()
    assert not zoe.received
    assert "Traceback" not in caplog.text
    if name == "jobs.sqlite3":
        move_away(tmp_path / name)  # as the sentence says
    async with harness.running():
        await zoe.sees("Nothing of yours")
