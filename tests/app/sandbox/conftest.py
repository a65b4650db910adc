"""One sandbox for a module, an aiogram bot that speaks to it, and new people for each test."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from app.bot.transport.response_models import KeptResponseModels
from app.sandbox.people import Person
from tests.app.sandbox.faulty_sandbox import FaultySandbox

IDS = itertools.count(200_001)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[FaultySandbox]:
    async with FaultySandbox(port=0) as sandbox:
        yield sandbox


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(running: FaultySandbox) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(running.api_url))
    session.middleware(KeptResponseModels())
    async with Bot(running.token, session=session) as bot:
        yield bot


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(running: FaultySandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(running.api_url) as session:
        yield session


@pytest.fixture
def sandbox(running: FaultySandbox) -> FaultySandbox:
    """The running sandbox without what other tests have left in it."""
    running.world.updates.drop_all()
    running.world.calls.clear()
    running.faults.clear()
    return running


@pytest.fixture
def anna(sandbox: FaultySandbox) -> Person:
    return sandbox.add_person(next(IDS), "Анна", "anna", "ru")


@pytest.fixture
def ben(sandbox: FaultySandbox) -> Person:
    return sandbox.add_person(next(IDS), "Ben", "ben", "en")
