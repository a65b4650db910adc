"""How quickly the bot answers while it paints: the real process against the loopback Bot API."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.commands.bench_crowd import running_bot
from app.sandbox.people import Attachment
from models.interface import Quality

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
    photo: Path,
    *,
    quality: Quality,
    size_px: int,
    people: int,
    within_s: float,
    engine: Mapping[str, str],
) -> float:
    """Pictures a minute through the whole bot, one a person; `engine` are settings of it.

    Of those that are ready after `within_s`; 0 if there is none.
    """
    wish = {"DEFAULT_QUALITY": quality.value, "DEFAULT_SIZE_PX": str(size_px)}
    settings = {**engine, **wish}
    return asyncio.run(_throughput(Attachment(photo.read_bytes()), settings, people, within_s))


async def _throughput(
    photo: Attachment, settings: Mapping[str, str], people: int, within_s: float
) -> float:
    async with running_bot({**settings, **UNHURRIED}) as crowd:
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
    async with running_bot({"DEFAULT_QUALITY": "high"}) as crowd:
        idle = [await crowd.asks_for_help() for _ in range(samples)]
        await crowd.orders(photo)
        busy = [await crowd.asks_for_help() for _ in range(samples)]
    async with running_bot({"DEFAULT_QUALITY": "draft", "DEFAULT_SIZE_PX": "512"}) as crowd:
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
