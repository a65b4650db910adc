"""How the bot is doing: the figures behind /stats and the metrics endpoint."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.jobs.ports import Stats, Studio

CardMemory = Callable[[], tuple[int, int] | None]
"""Bytes in use and in all; None without a card. May block."""


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one moment."""

    stats: Stats
    disk_free_bytes: int
    card: tuple[int, int] | None
    """Bytes of the card's memory in use and in all."""


class Health:
    """Asks the studio, the disk and the card."""

    def __init__(self, studio: Studio, *, data_dir: Path, card_memory: CardMemory) -> None:
        self._studio = studio
        self._data_dir = data_dir
        self._card_memory = card_memory

    async def report(self) -> Report:
        stats = await self._studio.stats()
        disk = await asyncio.to_thread(shutil.disk_usage, self._data_dir)
        card = await asyncio.to_thread(self._card_memory)
        return Report(stats, disk.free, card)
