"""How quickly the bot answers while it paints: the real process against the loopback Bot API."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.sandbox.people import Attachment, Person
from app.sandbox.server import Sandbox
from app.sandbox.world import Message
from models.interface import Quality

ROOT = Path(__file__).parents[2]
START_MAY_TAKE_S = 180.0
ANSWER_MAY_TAKE_S = 300.0
LOOK_EVERY_S = 0.002
UNHURRIED = {"MESSAGES_PER_SECOND": "1000"}
"""It is the bot that is measured here, not what Telegram takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFigures:
    """Seconds from /help to its answer, and pictures finished."""

    idle_p50_s: float
    busy_p50_s: float
    busy_p99_s: float
    drafts_per_minute: float

    @property
    def busy_to_idle(self) -> float:
        """What painting costs those who ask something meanwhile; 1 is nothing."""
        return self.busy_p50_s / self.idle_p50_s

    def __str__(self) -> str:
        return (
            f"/help while idle: p50 {self.idle_p50_s * 1000:.0f} ms\n"
            f"/help while painting: p50 {self.busy_p50_s * 1000:.0f} ms, "
            f"p99 {self.busy_p99_s * 1000:.0f} ms ({self.busy_to_idle:.1f} times idle)\n"
            f"drafts per minute, one a person: {self.drafts_per_minute:.0f}"
        )


def measure_throughput(
    photo: Path, *, quality: Quality, size_px: int, people: int, within_s: float
) -> float:
    """Pictures a minute through the whole bot on this machine's devices, one a person.

    Of those that are ready after `within_s`; 0 if there is none.
    """
    settings = {"DEFAULT_QUALITY": quality.value, "DEFAULT_SIZE_PX": str(size_px)}
    return asyncio.run(_throughput(Attachment(photo.read_bytes()), settings, people, within_s))


async def _throughput(
    photo: Attachment, settings: Mapping[str, str], people: int, within_s: float
) -> float:
    async with _bot({**settings, **UNHURRIED}) as crowd:
        # The first one waits for what is chosen once: kernels, the style's measures.
        await crowd.waits_for_picture(await crowd.orders(photo))
        began = time.perf_counter()
        chats = [await crowd.orders(photo) for _ in range(people)]
        ready, last = 0, began
        for person in chats:
            left_s = within_s - (time.perf_counter() - began)
            try:
                await crowd.waits_for_picture(person, within_s=left_s)
            except TimeoutError:
                break
            ready, last = ready + 1, time.perf_counter()
    return ready / (last - began) * 60 if ready else 0.0


def measure_chat(photo: Path, *, samples: int = 100, drafts: int = 12) -> ChatFigures:
    """Start the bot twice (painting in full, and drafts only) and time it. Takes minutes."""
    return asyncio.run(_measure(Attachment(photo.read_bytes()), samples, drafts))


async def _measure(photo: Attachment, samples: int, drafts: int) -> ChatFigures:
    async with _bot({"DEFAULT_QUALITY": "high"}) as crowd:
        idle = [await crowd.asks_for_help() for _ in range(samples)]
        await crowd.orders(photo)
        busy = [await crowd.asks_for_help() for _ in range(samples)]
    async with _bot({"DEFAULT_QUALITY": "draft", "DEFAULT_SIZE_PX": "512"}) as crowd:
        started = time.perf_counter()
        chats = [await crowd.orders(photo) for _ in range(drafts)]
        for person in chats:
            await crowd.waits_for_picture(person)
        per_minute = drafts / (time.perf_counter() - started) * 60
    return ChatFigures(
        idle_p50_s=statistics.median(idle),
        busy_p50_s=statistics.median(busy),
        busy_p99_s=statistics.quantiles(busy, n=100)[98],
        drafts_per_minute=per_minute,
    )


class _Crowd:
    """People who never wrote before: the pace at which one chat may be answered plays no part."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

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
        query = person.press(message, message.buttons[0]["callback_data"])
        await self._until(lambda: query.answer is not None, ANSWER_MAY_TAKE_S)
        await self._until(lambda: self._newest(person) is not message, ANSWER_MAY_TAKE_S)

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
async def _bot(settings: Mapping[str, str]) -> AsyncIterator[_Crowd]:
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
                crowd = _Crowd(sandbox)
                await crowd.asks_for_help(within_s=START_MAY_TAKE_S)
                yield crowd
            finally:
                process.terminate()
                await process.wait()
