"""A look at strangers' clips, in processes that may be killed; a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from app.decoding.queue import DecodingQueue
from models.clips.interface import ClipFacts
from models.clips.probing import probe

AT_ONCE: Final = 2


class ClipProber:
    """Whose clip is looked at next is fair between people, as with pictures."""

    def __init__(
        self, *, at_once: int = AT_ONCE, probe: Callable[[Path], ClipFacts] = probe
    ) -> None:
        self._probe = probe
        self._queue = DecodingQueue(at_once=at_once, memory_bytes=at_once)

    async def look(self, path: Path, *, user_id: int) -> ClipFacts:
        """What a file is. Raises ClipError, also for what takes too long."""
        async with self._queue.turn(user_id, 1):
            return await asyncio.to_thread(self._probe, path)
