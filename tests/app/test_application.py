"""Beginnings that take long, and ends in the middle of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from app.application import Application
from app.jobs.running.clips import Engine
from app.monitoring.heartbeat import is_alive
from app.settings import Settings
from app.storage.lock import FolderInUseError, FolderLock
from models.interface import EngineError
from tests.app.bot.application_harness import ApplicationHarness, open_harness
from tests.app.bot.reporter_harness import eventually
from tests.app.jobs.stub_stylizers import Inverter


@pytest_asyncio.fixture
async def harness(tmp_path: Path) -> AsyncIterator[ApplicationHarness]:
    async with open_harness(tmp_path) as harness:
        yield harness


async def test_waiting_for_a_network_is_a_sign_of_life_and_can_be_ended(
    harness: ApplicationHarness,
) -> None:
    harness.sandbox.faults.drop("deleteWebhook", times=None)
    application = Application(
        harness.settings, harness.sandbox.token, load_stylizers=lambda _: {"cpu": Inverter()}
    )
    life = asyncio.create_task(application.run())
    await eventually(lambda: is_alive(harness.settings.heartbeat_path))
    life.cancel()
    with pytest.raises(asyncio.CancelledError):
        await life
    assert not application.has_stuck_thread


async def test_a_second_process_in_the_same_folder_is_refused_and_leaves_no_sign_of_life(
    harness: ApplicationHarness,
) -> None:
    folder = harness.settings.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    first = FolderLock.acquire(folder / "jobs.lock")
    second = Application(
        harness.settings, harness.sandbox.token, load_stylizers=lambda _: {"cpu": Inverter()}
    )
    with pytest.raises(FolderInUseError, match="Another process"):
        await second.run()
    assert not harness.settings.heartbeat_path.exists()
    first.release()
    async with harness.running():
        await eventually(lambda: is_alive(harness.settings.heartbeat_path))


async def test_the_end_does_not_wait_for_an_engine_that_is_being_loaded(
    harness: ApplicationHarness,
) -> None:
    loading, release = threading.Event(), threading.Event()

    def load(_: Settings) -> Mapping[str, Engine]:
        loading.set()
        release.wait(30)
        return {"cpu": Inverter()}

    application = Application(harness.settings, harness.sandbox.token, load_stylizers=load)
    life = asyncio.create_task(application.run())
    await eventually(loading.is_set)
    life.cancel()
    with pytest.raises(asyncio.CancelledError):
        await life
    assert application.has_stuck_thread
    release.set()


async def test_an_engine_that_can_t_be_loaded_ends_the_start(harness: ApplicationHarness) -> None:
    def load(_: Settings) -> Mapping[str, Engine]:
        raise EngineError("There are no weights.")

    application = Application(harness.settings, harness.sandbox.token, load_stylizers=load)
    with pytest.raises(EngineError):
        await application.run()
