"""The whole application in this process, on a sandbox, with an engine that paints negatives."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app.application import Application
from app.jobs.running.clips import Engine
from app.settings import Settings
from tests.app.bot.reporter_harness import eventually
from tests.app.jobs.stub_stylizers import Inverter
from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.e2e.actor import Actor

IDS = itertools.count(700_001)
GROUP_IDS = itertools.count(-1_002_000_000_001, -1)


@dataclass
class ApplicationHarness:
    """A sandbox with people and the bot, which may be ended and started again."""

    sandbox: FaultySandbox
    settings: Settings
    stylizer: Engine = field(default_factory=Inverter)

    def new_person(self, name: str = "Ben", language: str = "en") -> Actor:
        """Somebody the bot has never met, with a chat and a rate limit of their own."""
        person = self.sandbox.add_person(next(IDS), name, name.lower(), language)
        return Actor(self.sandbox, person)

    def group(self, *members: Actor) -> list[Actor]:
        """The same people in a new group with the bot."""
        chat = self.sandbox.world.open_group(next(GROUP_IDS), "Painters")
        return [Actor(self.sandbox, member.person, chat) for member in members]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        """The running bot, from its first poll to the end of a SIGTERM."""
        application = Application(
            self.settings, self.sandbox.token, load_stylizers=lambda _: {"cpu": self.stylizer}
        )
        before = self.sandbox.world.updates.polls
        life = asyncio.create_task(application.run())
        try:
            await eventually(lambda: self.sandbox.world.updates.polls > before or life.done())
            yield life
        finally:
            life.cancel()
            with suppress(asyncio.CancelledError):
                await life
            assert not application.has_stuck_thread

    def calls(self, method: str) -> int:
        """How often a method of the Bot API was called with success."""
        return sum(call.method == method and call.ok for call in self.sandbox.world.calls)


@asynccontextmanager
async def open_harness(data: Path, **settings: Any) -> AsyncIterator[ApplicationHarness]:
    """A sandbox without a bot yet."""
    async with FaultySandbox(port=0) as sandbox:
        usual = {"default_size_px": 96, "bot_token": SecretStr(sandbox.token)}
        chosen = Settings(data_dir=data, telegram_api_url=sandbox.api_url, **{**usual, **settings})
        yield ApplicationHarness(sandbox, chosen)
