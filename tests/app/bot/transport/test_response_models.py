"""The models of Telegram's answers outlive a garbage collection."""

from __future__ import annotations

import gc
import weakref

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.methods import GetMyCommands
from aiogram.methods.base import Response

from app.bot.transport.response_models import KeptResponseModels
from tests.app.sandbox.faulty_sandbox import FaultySandbox


async def test_a_model_is_built_once() -> None:
    async with FaultySandbox(port=0) as sandbox:
        session = AiohttpSession(api=TelegramAPIServer.from_base(sandbox.api_url))
        session.middleware(KeptResponseModels())
        async with Bot(sandbox.token, session) as bot:
            await bot.get_my_commands()
            model = weakref.ref(Response[GetMyCommands.__returning__])
            gc.collect()
            assert model() is not None
