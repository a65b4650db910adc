"""The event loop's sign of life, for this process and for those that can't ask the loop itself."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

logger = logging.getLogger(__name__)

BEAT_EVERY_S = 5.0
STALE_AFTER_S = 30.0


async def beat(sign: Callable[[], None], *, every_s: float = BEAT_EVERY_S) -> None:
    """Call `sign`, which must not block, for as long as the loop runs; ends when cancelled.

    A sign that fails once is given again: it is the loop's life that counts.
    """
    while True:
        try:
            sign()
        except Exception:
            logger.exception("the sign of life failed")
        await asyncio.sleep(every_s)


async def keep_touching(path: Path, *, every_s: float = BEAT_EVERY_S) -> None:
    """Touch `path` for as long as the event loop runs; ends when cancelled.

    Only whoever holds the folder may: the file says that its holder is alive. Where it can't be
    touched (a folder that is gone, a full disk) that is tried again at the next beat.
    """
    is_touchable = True
    while True:
        try:
            await asyncio.to_thread(path.touch)
            is_touchable = True
        except OSError as error:
            if is_touchable:
                logger.warning("the heartbeat can't be written", extra={"error": str(error)})
            is_touchable = False
        await asyncio.sleep(every_s)


def is_alive(path: Path, *, stale_after_s: float = STALE_AFTER_S) -> bool:
    """Whether the event loop behind `path` ran within the last `stale_after_s` seconds.

    A time that far in the future, from before the clock was set back, is no sign of life either.
    """
    try:
        return abs(time.time() - path.stat().st_mtime) < stale_after_s
    except OSError:
        return False
