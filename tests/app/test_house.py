"""Beginnings that take long, and ends in the middle of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.heartbeat import is_alive
from app.house import House
from app.settings import Settings
from models.interface import EngineError, Stylizer
from tests.app.bot.front import Front, open_front
from tests.app.bot.stage import eventually
from tests.app.jobs.engines import Inverter


@pytest_asyncio.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    async with open_front(tmp_path) as front:
        yield front


async def test_waiting_for_a_network_is_a_sign_of_life_and_can_be_ended(front: Front) -> None:
    front.sandbox.faults.drop("deleteWebhook", times=None)
    house = House(front.settings, front.sandbox.token, load_stylizer=lambda _: Inverter())
    life = asyncio.create_task(house.live())
    await eventually(lambda: is_alive(front.settings.heartbeat_path))
    life.cancel()
    with pytest.raises(asyncio.CancelledError):
        await life
    assert not house.has_stuck_thread


async def test_the_end_does_not_wait_for_an_engine_that_is_being_loaded(front: Front) -> None:
    loading, release = threading.Event(), threading.Event()

    def load(_: Settings) -> Stylizer:
        loading.set()
        release.wait(30)
        return Inverter()

    house = House(front.settings, front.sandbox.token, load_stylizer=load)
    life = asyncio.create_task(house.live())
    await eventually(loading.is_set)
    life.cancel()
    with pytest.raises(asyncio.CancelledError):
        await life
    assert house.has_stuck_thread
    release.set()


async def test_an_engine_that_can_t_be_loaded_ends_the_start(front: Front) -> None:
    def load(_: Settings) -> Stylizer:
        raise EngineError("There are no weights.")

    house = House(front.settings, front.sandbox.token, load_stylizer=load)
    with pytest.raises(EngineError):
        await house.live()
