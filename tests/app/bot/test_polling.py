"""The way of an update through crashes, restarts and Telegram's bad days."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramUnauthorizedError
from aiogram.utils.backoff import BackoffConfig

from app.bot import polling
from app.main import EXIT_CONFIG, run_bot
from app.settings import Settings
from tests.app.bot.front import Front, open_front
from tests.app.bot.stage import eventually
from tests.e2e.pictures import photo


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = BackoffConfig(min_delay=0.02, max_delay=0.05, factor=1.5, jitter=0.001)
    monkeypatch.setattr(polling, "_BACKOFF", quick)


@pytest_asyncio.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    async with open_front(tmp_path) as front:
        yield front


def stalled(front: Front) -> Any:
    """Nothing that is said arrives, for longer than anybody waits here."""
    return front.sandbox.faults.stall("sendMessage", seconds=60, times=None)


async def test_what_was_being_handled_at_the_end_is_handled_after_the_start(front: Front) -> None:
    ben = front.newcomer()
    fault = stalled(front)
    async with front.running():
        await ben.sends("/help")
        await eventually(lambda: fault.met)
        # Confirmed to Telegram: from here on only the disk knows of it.
        await eventually(lambda: not len(front.sandbox.world.updates))
    front.sandbox.faults.clear()
    async with front.running():
        await ben.sees("two ways")
    assert len(ben.received) == 1


async def test_what_was_handled_is_not_handled_again_after_the_start(front: Front) -> None:
    ben = front.newcomer()
    async with front.running():
        await ben.sends("/help")
        await ben.sees("two ways")
    async with front.running():
        await ben.sends("/start")
        await ben.sees("Hello")
    assert len(ben.received) == 2


async def test_a_conversation_goes_on_after_a_restart(front: Front) -> None:
    ben = front.newcomer()
    async with front.running():
        await ben.sends_photo(photo(1))
        await ben.sees("second one")
    async with front.running():
        await ben.sends_photo(photo(2))
        question = await ben.sees("Which one gives the style")
    async with front.running():
        await ben.presses("1", on=question)
        await ben.sees_result()


async def test_an_update_that_no_model_fits_blocks_no_other(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    ben = front.newcomer()
    front.sandbox.world.updates.add("message", {"message_id": "seven", "text": "private words"})
    async with front.running():
        await ben.sends("/help")
        await ben.sees("two ways")
    assert "an update can't be read" in caplog.text
    assert "private words" not in caplog.text


@pytest.mark.parametrize("trouble", ["conflict", "bad gateway", "flood", "dropped"])
async def test_polling_goes_on_after(
    front: Front, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    faults = front.sandbox.faults
    ben = front.newcomer()
    async with front.running():
        match trouble:
            case "conflict":
                fault = faults.conflict(times=2)
            case "bad gateway":
                fault = faults.server_error("getUpdates", times=2)
            case "flood":
                fault = faults.too_many_requests("getUpdates", retry_after_s=1)
            case _:
                fault = faults.drop("getUpdates", times=2)
        await ben.sends("/help")  # ends the poll that waits
        await ben.sees("two ways")
        await eventually(lambda: fault.met == fault.times)
        await ben.sends("/start")
        await ben.sees("Hello")
    assert "again in" in caplog.text
    assert ("another bot runs" in caplog.text) == (trouble == "conflict")
    assert front.sandbox.token not in caplog.text


async def test_no_network_at_the_start_is_waited_out(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    front.sandbox.faults.drop("deleteWebhook", times=2)
    front.sandbox.faults.server_error("getMe")
    session = AiohttpSession(api=TelegramAPIServer.from_base(front.sandbox.api_url))
    async with Bot(front.sandbox.token, session) as bot:
        me = await polling.introduce(bot)
    assert me.id == front.sandbox.world.bot.id
    assert caplog.text.count("Telegram can't be reached") == 3
    assert front.sandbox.token not in caplog.text


async def test_a_token_that_is_revoked_ends_the_bot(front: Front) -> None:
    async def lose_the_token() -> None:
        async with front.running() as life:
            front.sandbox.faults.unauthorized("getUpdates")
            await front.newcomer().sends("/help")
            await asyncio.wait([life], timeout=10)

    with pytest.raises(TelegramUnauthorizedError):
        await lose_the_token()


def test_without_a_token_there_is_nothing_to_run(tmp_path: Path) -> None:
    assert run_bot(Settings(data_dir=tmp_path, bot_token=None, _env_file=None)) == EXIT_CONFIG
