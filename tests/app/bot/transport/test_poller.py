"""The way of an update through crashes, restarts and Telegram's bad days."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.dispatcher.middlewares.user_context import UserContextMiddleware
from aiogram.exceptions import TelegramUnauthorizedError
from aiogram.types import Update
from aiogram.utils.backoff import BackoffConfig

from app.bot.transport import poller
from app.bot.transport.senders import conversation_of
from app.exit_codes import ExitCode
from app.process import run_bot
from app.settings import Settings
from tests.app.bot.application_harness import ApplicationHarness, open_harness
from tests.app.bot.reporter_harness import eventually
from tests.e2e.pictures import photo
from tests.patience import PATIENCE_S

BEN: Final = {"id": 7, "is_bot": False, "first_name": "Ben"}
BOT: Final = {"id": 1, "is_bot": True, "first_name": "Bot"}
SAID: Final = {"message_id": 1, "date": 0, "from": BEN, "text": "hello"}
QUESTION: Final = {**SAID, "from": BOT, "chat": {"id": -5, "type": "group"}}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = BackoffConfig(min_delay=0.02, max_delay=0.05, factor=1.5, jitter=0.001)
    monkeypatch.setattr(poller, "_BACKOFF", quick)


@pytest_asyncio.fixture
async def harness(tmp_path: Path) -> AsyncIterator[ApplicationHarness]:
    async with open_harness(tmp_path) as harness:
        yield harness


def stalled(harness: ApplicationHarness) -> Any:
    """Nothing that is said arrives, for longer than anybody waits here."""
    return harness.sandbox.faults.stall("sendMessage", seconds=60, times=None)


async def test_what_was_being_handled_at_the_end_is_handled_after_the_start(
    harness: ApplicationHarness,
) -> None:
    ben = harness.new_person()
    fault = stalled(harness)
    async with harness.running():
        await ben.sends("/help")
        await eventually(lambda: fault.met)
        # Confirmed to Telegram: from here on only the disk knows of it.
        await eventually(lambda: not len(harness.sandbox.world.updates))
    harness.sandbox.faults.clear()
    async with harness.running():
        await ben.sees("two ways")
    assert len(ben.received) == 1


async def test_many_ordinary_restarts_lose_nothing(harness: ApplicationHarness) -> None:
    ben = harness.new_person()
    fault = stalled(harness)
    async with harness.running():
        await ben.sends("/help")
        await eventually(lambda: fault.met)
        await ben.sends("/start")  # waits for the other
        await eventually(lambda: not len(harness.sandbox.world.updates))
    for _ in range(4):
        before = fault.met
        async with harness.running():
            await eventually(lambda before=before: fault.met > before)  # type: ignore[misc]
    harness.sandbox.faults.clear()
    async with harness.running():
        await ben.sees("two ways")
        await ben.sees("Hello")
    assert len(ben.received) == 2


async def test_what_was_handled_is_not_handled_again_after_the_start(
    harness: ApplicationHarness,
) -> None:
    ben = harness.new_person()
    async with harness.running():
        await ben.sends("/help")
        await ben.sees("two ways")
    async with harness.running():
        await ben.sends("/start")
        await ben.sees("Hello")
    assert len(ben.received) == 2


async def test_a_conversation_goes_on_after_a_restart(harness: ApplicationHarness) -> None:
    ben = harness.new_person()
    async with harness.running():
        await ben.sends_photo(photo(1))
        await ben.sees("second one")
    async with harness.running():
        await ben.sends_photo(photo(2))
        question = await ben.sees("Which one gives the style")
    async with harness.running():
        await ben.presses("1", on=question)
        await ben.sees_result()


@pytest.mark.parametrize(
    "oddity",
    [
        {"message_id": "seven", "text": "private words"},
        {"from": "private words", "chat": ["private words"]},
        {"from": {"id": "private words"}, "chat": {}, "text": 7},
        {**SAID, "chat": {"id": {"private": "words"}, "type": "private"}},
        {**SAID, "from": {"id": [7]}, "chat": {"id": ["private words"]}},
        "private words",
    ],
    ids=["no chat", "no objects", "no numbers", "an object", "a list", "no message"],
)
async def test_an_update_that_no_model_fits_blocks_no_other(
    harness: ApplicationHarness, oddity: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ben = harness.new_person()
    harness.sandbox.world.updates.add("message", oddity)
    async with harness.running():
        await ben.sends("/help")
        await ben.sees("two ways")
    assert "an update can't be read" in caplog.text
    assert "private words" not in caplog.text


@pytest.mark.parametrize("update_id", ["missing", None, "7", "NaN", 1e3, -1, 2**63, True, {}])
async def test_an_update_without_a_number_is_left_out(
    harness: ApplicationHarness,
    update_id: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ben = harness.new_person()
    said = {"message": {**SAID, "text": "private words", "chat": {"id": 7, "type": "private"}}}
    odd: dict[str, Any] = dict(said)
    if update_id != "missing":
        odd["update_id"] = float("nan") if update_id == "NaN" else update_id
    fetch = AiohttpSession.make_request
    spoilt: list[dict[str, Any]] = []

    async def fetch_spoilt(session: Any, bot: Bot, method: Any, *rest: Any, **named: Any) -> Any:
        found = await fetch(session, bot, method, *rest, **named)
        if isinstance(method, poller.GetRawUpdates) and found and not spoilt:
            spoilt.append(odd)
            return [odd, *found]
        return found

    monkeypatch.setattr(AiohttpSession, "make_request", fetch_spoilt)
    async with harness.running():
        await ben.sends("/help")
        await ben.sees("two ways")
    assert spoilt
    assert "can't be read" in caplog.text
    assert "private words" not in caplog.text


async def test_an_update_that_can_not_be_kept_is_skipped_for_good(
    harness: ApplicationHarness, caplog: pytest.LogCaptureFixture
) -> None:
    ben = harness.new_person()
    odd = {**SAID, "chat": {"id": 7, "type": "private"}, "text": "private words"}
    updates = harness.sandbox.world.updates
    async with harness.running():
        number = updates.add("message", odd | {"location": {"latitude": float("nan")}})
        await eventually(lambda: not len(updates))
        before = updates.polls
        await asyncio.sleep(0.3)
        assert updates.polls == before  # it waits for the next one
        await ben.sends("/help")
        await ben.sees("two ways")
    assert caplog.text.count("can't be read") == 1
    assert str(number["update_id"]) in str([vars(record) for record in caplog.records])
    assert "private words" not in caplog.text


@pytest.mark.parametrize("trouble", ["conflict", "bad gateway", "flood", "dropped"])
async def test_polling_goes_on_after(
    harness: ApplicationHarness, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    faults = harness.sandbox.faults
    ben = harness.new_person()
    async with harness.running():
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
    assert harness.sandbox.token not in caplog.text


async def test_no_network_at_the_start_is_waited_out(
    harness: ApplicationHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.sandbox.faults.drop("deleteWebhook", times=2)
    harness.sandbox.faults.server_error("getMe")
    session = AiohttpSession(api=TelegramAPIServer.from_base(harness.sandbox.api_url))
    async with Bot(harness.sandbox.token, session) as bot:
        me = await poller.wait_for_telegram(bot)
    assert me.id == harness.sandbox.world.bot.id
    assert caplog.text.count("Telegram can't be reached") == 3
    assert harness.sandbox.token not in caplog.text


async def test_a_single_refusal_is_not_believed(
    harness: ApplicationHarness, caplog: pytest.LogCaptureFixture
) -> None:
    ben = harness.new_person()
    async with harness.running():
        fault = harness.sandbox.faults.unauthorized("getUpdates", times=3)
        await ben.sends("/help")
        await ben.sees("two ways")
        await eventually(lambda: fault.met == fault.times)
        await ben.sends("/start")
        await ben.sees("Hello")
    assert "no updates (TelegramUnauthorizedError)" in caplog.text


async def test_a_token_that_is_revoked_ends_the_bot(harness: ApplicationHarness) -> None:
    async def lose_the_token() -> None:
        async with harness.running() as life:
            harness.sandbox.faults.unauthorized("getUpdates", times=None)
            await harness.new_person().sends("/help")
            await asyncio.wait([life], timeout=PATIENCE_S)

    with pytest.raises(TelegramUnauthorizedError):
        await lose_the_token()


@pytest.mark.parametrize(
    "event",
    [
        {"message": {**SAID, "chat": {"id": -5, "type": "group"}}},
        {"edited_message": {**SAID, "edit_date": 0, "chat": {"id": 7, "type": "private"}}},
        {"callback_query": {"id": "1", "chat_instance": "1", "from": BEN, "message": QUESTION}},
        {"callback_query": {"id": "1", "chat_instance": "1", "from": BEN}},
        {
            "my_chat_member": {
                "chat": {"id": 7, "type": "private"},
                "from": BEN,
                "date": 0,
                "old_chat_member": {"status": "member", "user": BOT},
                "new_chat_member": {"status": "left", "user": BOT},
            }
        },
        {"channel_post": {"message_id": 1, "date": 0, "chat": {"id": -9, "type": "channel"}}},
        {"inline_query": {"id": "1", "from": BEN, "query": "", "offset": ""}},
    ],
    ids=["message", "edited", "pressed", "pressed inline", "membership", "channel", "inline"],
)
def test_a_conversation_is_what_aiogram_keeps_a_state_by(event: dict[str, Any]) -> None:
    raw = {"update_id": 1, **event}
    context = UserContextMiddleware.resolve_event_context(Update.model_validate(raw))
    chat_id, user_id = conversation_of(raw)
    assert (chat_id, user_id) == (context.chat_id or context.user_id, context.user_id)


def test_without_a_token_there_is_nothing_to_run(tmp_path: Path) -> None:
    assert run_bot(Settings(data_dir=tmp_path, bot_token=None, _env_file=None)) == ExitCode.CONFIG
