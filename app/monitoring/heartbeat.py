"""A sign of life on disk, for supervisors that can't ask the loop itself."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

BEAT_EVERY_S = 5.0
STALE_AFTER_S = 30.0


async def beat(path: Path, *, every_s: float = BEAT_EVERY_S) -> None:
    """Touch `path` for as long as the event loop runs; ends when cancelled."""
    while True:
        await asyncio.to_thread(path.touch)
        await asyncio.sleep(every_s)


def is_alive(path: Path, *, stale_after_s: float = STALE_AFTER_S) -> bool:
    """Whether the event loop behind `path` ran within the last `stale_after_s` seconds."""
    try:
        return time.time() - path.stat().st_mtime < stale_after_s
    except FileNotFoundError:
        return False
