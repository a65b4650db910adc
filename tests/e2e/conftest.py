"""A sandbox with the real bot in it, and people who talk to it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.e2e.actor import Actor
from tests.e2e.bot_process import CALM_SIZE_PX, FAST, REAL, STEPS, BotProcess

IDS = itertools.count(300_001)
GROUP_IDS = itertools.count(-1_001_000_000_001, -1)


@dataclass(frozen=True)
class BotHarness:
    """One sandbox, one bot, and whoever comes by."""

    sandbox: FaultySandbox
    bot: BotProcess
    data: Path

    def new_person(self, name: str = "Ben", language: str = "en") -> Actor:
        """Somebody the bot has never met."""
        person = self.sandbox.add_person(next(IDS), name, name.lower(), language)
        return Actor(self.sandbox, person)

    def group(self, *members: Actor) -> list[Actor]:
        """The same people in a new group with the bot."""
        chat = self.sandbox.world.open_group(next(GROUP_IDS), "Painters")
        return [Actor(self.sandbox, member.person, chat) for member in members]


@asynccontextmanager
async def running_harness(
    data: Path,
    settings: Mapping[str, str],
    *,
    command: tuple[str, ...] = REAL,
    is_prepared: bool = True,
) -> AsyncIterator[BotHarness]:
    """A sandbox with a running bot; what it leaves behind is looked at when it ends."""
    async with FaultySandbox(port=0) as sandbox:
        bot = BotProcess(sandbox, data, settings=settings, command=command, is_prepared=is_prepared)
        await bot.start()
        yield BotHarness(sandbox, bot, data)
        assert await bot.stop() == 0
        assert sandbox.token not in bot.log
        assert "Traceback" not in bot.log, bot.log


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def quick_harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    """The bot paints drafts of 96 px: a picture is there in a moment."""
    settings = {"DEFAULT_QUALITY": "draft"}
    async with running_harness(tmp_path_factory.mktemp("quick"), settings) as harness:
        yield harness


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def slow_harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    """The bot paints for long: there is time to look, to press and to wait in the queue.

    It is started by nothing but `python run.py`.
    """
    slow = {"DEFAULT_QUALITY": "high", "DEFAULT_SIZE_PX": str(CALM_SIZE_PX)}
    folder = tmp_path_factory.mktemp("calm")
    async with running_harness(folder, slow, is_prepared=False) as harness:
        yield harness


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stub_harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    """The bot with an engine that pretends to think for half a second."""
    settings = {**STEPS, "FLOOD_BURST_MESSAGES": "16"}
    async with running_harness(tmp_path_factory.mktemp("fast"), settings, command=FAST) as harness:
        yield harness


@pytest.fixture
def harness(quick_harness: BotHarness) -> BotHarness:
    quick_harness.sandbox.faults.clear()
    return quick_harness


@pytest.fixture
def anna(harness: BotHarness) -> Actor:
    return harness.new_person("Анна", "ru")


@pytest.fixture
def ben(harness: BotHarness) -> Actor:
    return harness.new_person("Ben", "en")


@pytest_asyncio.fixture(loop_scope="session")
async def tidy_ben(harness: BotHarness) -> AsyncIterator[Actor]:
    """Ben where jobs are long: he leaves nothing in the queue."""
    person = harness.new_person("Ben", "en")
    yield person
    await person.cancels_all()
