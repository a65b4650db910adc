"""The real bot in a process of its own on the loopback Bot API, and people for its measuring."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from app.sandbox.people import Attachment, Person
from app.sandbox.server import Sandbox
from app.sandbox.world import Message

ROOT = Path(__file__).parents[2]
START_MAY_TAKE_S = 180.0
ANSWER_MAY_TAKE_S = 300.0
LOOK_EVERY_S = 0.002
COUNTED = ("send", "edit")
"""How the methods begin that Telegram's limits are about."""
_CPU_TIME = 2
"""Which clock of a process is meant: the lowest bits of what Linux's clock_getcpuclockid(3) gives
for it, the others being its id."""


def process_cpu_s(pid: int) -> float:
    """Seconds of a processor that a process, also another one, has used."""
    # Not by /proc, which counts in steps of 10 ms: a few answers may take less than one.
    return time.clock_gettime(~pid << 3 | _CPU_TIME)


class Crowd:
    """People who never wrote before: the pace at which one chat may be answered plays no part."""

    def __init__(self, sandbox: Sandbox, pid: int) -> None:
        """`pid` is the bot's process."""
        self._sandbox = sandbox
        self._pid = pid

    def calls(self, method: str = "") -> int:
        """How often the bot has called a method of the Bot API, or any but those that ask."""
        calls = (call.method.casefold() for call in self._sandbox.world.calls)
        wanted = method.casefold()
        return sum(each == wanted if wanted else each.startswith(COUNTED) for each in calls)

    def cpu_s(self) -> float:
        """Seconds of a processor that the bot's process has used."""
        return process_cpu_s(self._pid)

    async def all_ask_for_help(self, people: int, *, at_once: int) -> None:
        """So many new people, `at_once` of them waiting for an answer at any moment."""
        asking = asyncio.Semaphore(at_once)

        async def ask() -> None:
            async with asking:
                await self.asks_for_help()

        async with asyncio.TaskGroup() as group:
            for _ in range(people):
                group.create_task(ask())

    async def asks_for_help(self, *, within_s: float = ANSWER_MAY_TAKE_S) -> float:
        """Seconds until a new person's /help is answered."""
        person = self._new_person()
        asked = time.perf_counter()
        person.write("/help")
        await self._last_answer(person, within_s=within_s)
        return time.perf_counter() - asked

    async def orders(self, photo: Attachment) -> Person:
        """A new person wants a photo in the first preset; returns once the job is accepted."""
        person = self._new_person()
        await person.send_photos(photo)
        await self._last_answer(person)
        person.write("/style")
        for _ in ("yes, a ready style", "the first one"):
            await self._presses_first_button(person)
        return person

    async def waits_for_picture(
        self, person: Person, *, within_s: float = ANSWER_MAY_TAKE_S
    ) -> None:
        """The buttons under a result are more than a status message ever has."""
        await self._until(lambda: len(self._newest(person).buttons) > 4, within_s)

    async def _presses_first_button(self, person: Person) -> None:
        await self._until(lambda: bool(self._newest(person).buttons), ANSWER_MAY_TAKE_S)
        message = self._newest(person)
        offered = list(message.buttons)
        query = person.press(message, offered[0]["callback_data"])
        await self._until(lambda: query.answer is not None, ANSWER_MAY_TAKE_S)
        # The next question may stand in the same message.
        await self._until(lambda: self._newest(person).buttons != offered, ANSWER_MAY_TAKE_S)

    async def _last_answer(self, person: Person, *, within_s: float = ANSWER_MAY_TAKE_S) -> Message:
        bot = self._sandbox.world.bot
        await self._until(lambda: self._newest(person).sender is bot, within_s)
        return self._newest(person)

    def _newest(self, person: Person) -> Message:
        return next(reversed(person.chat.messages.values()))

    def _new_person(self) -> Person:
        return self._sandbox.add_person(200_000 + len(self._sandbox.people), "Guest", None, "en")

    @staticmethod
    async def _until(condition: Callable[[], bool], within_s: float) -> None:
        async with asyncio.timeout(within_s):
            # The sandbox's world is plain state; looking costs less than signalling would.
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY_S)


@asynccontextmanager
async def running_bot(settings: Mapping[str, str]) -> AsyncIterator[Crowd]:
    """The real bot in a process of its own, once it has answered for the first time."""
    with tempfile.TemporaryDirectory() as data:
        async with Sandbox(port=0) as sandbox:
            environment = os.environ | {
                "BOT_TOKEN": sandbox.token,
                "TELEGRAM_API_URL": sandbox.api_url,
                "DATA_DIR": data,
                "LOG_LEVEL": "WARNING",
                **settings,
            }
            process = await asyncio.create_subprocess_exec(
                sys.executable, "run.py", cwd=ROOT, env=environment
            )
            try:
                crowd = Crowd(sandbox, process.pid)
                await crowd.asks_for_help(within_s=START_MAY_TAKE_S)
                yield crowd
            finally:
                process.terminate()
                await process.wait()
