"""Where one process's event loop ends: updates a second, and the calls that a picture takes."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from app.commands.bench_chat import UNHURRIED
from app.commands.bench_crowd import running_bot
from app.sandbox.people import Attachment

_AT_ONCE = 50
"""Enough that the bot never waits for the people, and few enough to count as no flood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFigures:
    """Of the whole bot, from `getUpdates` to the answer."""

    updates: int
    seconds: float
    cpu_s: float
    """Of the bot's process alone; the people and their Bot API have another."""
    calls_per_draft: float
    """Messages and edits, from the photo that was sent to the painting."""

    @property
    def updates_per_second(self) -> float:
        return self.updates / self.seconds

    @property
    def most_per_second(self) -> float:
        """What the loop could do with one core to itself."""
        return self.updates / self.cpu_s

    def __str__(self) -> str:
        return (
            f"/help, {_AT_ONCE} people at a time, {self.updates} in all: "
            f"{self.updates_per_second:.0f} a second\n"
            f"{1000 * self.cpu_s / self.updates:.1f} ms of a processor each: at most "
            f"{self.most_per_second:.0f} a second on one core\n"
            f"messages and edits for a draft, from the photo on: {self.calls_per_draft:.1f}"
        )


def measure_updates(photo: Path, *, people: int = 500, drafts: int = 10) -> UpdateFigures:
    """Start the bot and ask it more than it can answer at once. Takes a minute."""
    return asyncio.run(_measure(Attachment(photo.read_bytes()), people, drafts))


async def _measure(photo: Attachment, people: int, drafts: int) -> UpdateFigures:
    settings = {"DEFAULT_QUALITY": "draft", "DEFAULT_SIZE_PX": "256", **UNHURRIED}
    async with running_bot(settings) as crowd:
        await crowd.all_ask_for_help(20, at_once=1)
        cpu_s, began = crowd.cpu_s(), time.perf_counter()
        await crowd.all_ask_for_help(people, at_once=_AT_ONCE)
        seconds, cpu_s = time.perf_counter() - began, crowd.cpu_s() - cpu_s
        calls = crowd.calls()
        for _ in range(drafts):
            await crowd.waits_for_picture(await crowd.orders(photo))
        calls = crowd.calls() - calls
    return UpdateFigures(
        updates=people, seconds=seconds, cpu_s=cpu_s, calls_per_draft=calls / drafts
    )
