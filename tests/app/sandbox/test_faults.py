"""Telegram's failures, as a bot meets them."""

from __future__ import annotations

import aiohttp
import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)

from app.sandbox.people import Attachment, Person
from tests.app.sandbox.faulty_sandbox import FaultySandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def download_path(bot: Bot, anna: Person, data: bytes) -> str:
    sent = await anna.send_files(Attachment(data, "data.bin"))
    file = await bot.get_file(sent[0].content["document"]["file_id"])
    assert file.file_path is not None
    return file.file_path


async def test_a_fault_happens_as_often_as_asked(
    sandbox: FaultySandbox, bot: Bot, anna: Person
) -> None:
    fault = sandbox.faults.too_many_requests("sendMessage", retry_after_s=7, times=2)
    for _ in range(2):
        with pytest.raises(TelegramRetryAfter) as refusal:
            await bot.send_message(anna.user.id, "text")
        assert refusal.value.retry_after == 7
    await bot.send_message(anna.user.id, "text")
    assert fault.met == 2
    assert len(anna.chat.messages) == 1


async def test_a_fault_can_be_for_one_chat(
    sandbox: FaultySandbox, bot: Bot, anna: Person, ben: Person
) -> None:
    sandbox.faults.too_many_requests(
        "sendMessage", retry_after_s=1, times=None, chat_id=anna.user.id
    )
    await bot.send_message(ben.user.id, "arrives")
    with pytest.raises(TelegramRetryAfter):
        await bot.send_message(anna.user.id, "does not")


async def test_a_fault_can_wait_for_a_later_call(
    sandbox: FaultySandbox, bot: Bot, anna: Person
) -> None:
    sandbox.faults.server_error("sendMessage").skip = 1
    await bot.send_message(anna.user.id, "first")
    with pytest.raises(TelegramServerError):
        await bot.send_message(anna.user.id, "second")


async def test_refusals_carry_their_codes(sandbox: FaultySandbox, bot: Bot, anna: Person) -> None:
    sandbox.faults.unauthorized("getMe")
    sandbox.faults.conflict()
    sandbox.faults.blocked("sendMessage")
    with pytest.raises(TelegramUnauthorizedError):
        await bot.get_me()
    with pytest.raises(TelegramConflictError):
        await bot.get_updates()
    with pytest.raises(TelegramForbiddenError, match="blocked"):
        await bot.send_message(anna.user.id, "text")


@pytest.mark.parametrize("after_effect", [False, True])
async def test_a_connection_drops_before_or_after_the_effect(
    sandbox: FaultySandbox, bot: Bot, anna: Person, after_effect: bool
) -> None:
    sandbox.faults.drop("sendMessage", after_effect=after_effect)
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(anna.user.id, "text")
    assert bool(anna.chat.messages) is after_effect
    await bot.send_message(anna.user.id, "the server goes on")


async def test_a_stalled_call_breaks_without_an_effect(
    sandbox: FaultySandbox, bot: Bot, anna: Person
) -> None:
    sandbox.faults.stall("sendMessage", seconds=0.05)
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(anna.user.id, "text")
    assert not anna.chat.messages


async def test_a_download_may_end_early(sandbox: FaultySandbox, bot: Bot, anna: Person) -> None:
    path = await download_path(bot, anna, bytes(300_000))
    sandbox.faults.short_download()
    with pytest.raises(aiohttp.ClientError):
        await bot.download_file(path)


async def test_a_download_may_lie_about_its_size(
    sandbox: FaultySandbox, bot: Bot, anna: Person
) -> None:
    path = await download_path(bot, anna, bytes(1000))
    sandbox.faults.lying_download(size=5_000_000)
    got = await bot.download_file(path)
    assert got is not None
    assert len(got.read()) >= 5_000_000


async def test_a_download_may_be_refused(sandbox: FaultySandbox, bot: Bot, anna: Person) -> None:
    path = await download_path(bot, anna, b"data")
    sandbox.faults.server_error("download")
    with pytest.raises(aiohttp.ClientResponseError):
        await bot.download_file(path)
