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
        self._looking = 0

    async def look(self, path: Path, *, user_id: int) -> ClipFacts:
        """What a file is. Raises ClipError, also for what takes too long."""
        async with self._queue.turn(user_id, 1):
            self._looking += 1
            looking = asyncio.ensure_future(asyncio.to_thread(self._probe, path))
            looking.add_done_callback(self._looked)
            return await asyncio.shield(looking)

    @property
    def is_busy(self) -> bool:
        """Whether a clip is looked at, if only for somebody who waits no more."""
        return self._looking > 0

    def _looked(self, looking: asyncio.Future[ClipFacts]) -> None:
        self._looking -= 1
        if not looking.cancelled():
            looking.exception()  # somebody has looked at it: nobody else may be there any more
