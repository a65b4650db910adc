"""Inline mode, as aiogram speaks it."""

from __future__ import annotations

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import BufferedInputFile, InlineQueryResultCachedPhoto

from app.sandbox.people import Person
from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.app.sandbox.pictures import picture

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def photo_id(bot: Bot, anna: Person) -> str:
    sent = await bot.send_photo(anna.user.id, BufferedInputFile(picture(), "p.png"))
    assert sent.photo
    return sent.photo[-1].file_id


async def test_a_cached_photo_is_offered_and_sent(
    sandbox: FaultySandbox, bot: Bot, anna: Person
) -> None:
    query = anna.ask_inline("anything")
    result = InlineQueryResultCachedPhoto(
        id="1", photo_file_id=await photo_id(bot, anna), caption="Ready"
    )
    await bot.answer_inline_query(query.id, [result], is_personal=True)
    assert query.is_personal
    chat = sandbox.world.open_group(-100777, "Friends")
    message = anna.send_inline(query, "1", chat)
    assert message.sender is anna.user
    assert message.text == "Ready"
    assert message.as_json()["via_bot"]["id"] == bot.id


async def test_what_telegram_refuses_is_refused(
    sandbox: FaultySandbox, bot: Bot, anna: Person
) -> None:
    unknown = InlineQueryResultCachedPhoto(id="1", photo_file_id="AgACnone")
    with pytest.raises(TelegramBadRequest, match="wrong file identifier"):
        await bot.answer_inline_query(anna.ask_inline("x").id, [unknown])
    known = InlineQueryResultCachedPhoto(id="1", photo_file_id=await photo_id(bot, anna))
    with pytest.raises(TelegramBadRequest, match="DUPLICATE"):
        await bot.answer_inline_query(anna.ask_inline("x").id, [known, known])
    with pytest.raises(TelegramBadRequest, match="too old"):
        await bot.answer_inline_query("12345", [known])
