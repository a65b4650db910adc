"""Keeps small copies of a picture while it is painted, a bounded number and evenly spread."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from PIL import Image

from app.pictures.frames import MAX_FRAMES, MIN_FRAMES, encode_frame, write_frames

logger = logging.getLogger(__name__)

MAX_IN_HAND = 2
"""So many pictures wait to be encoded; while they do, others are left out."""


class FrameRecorder:
    """The frames of one run, in the event loop; whatever fails here costs frames, nothing else."""

    def __init__(self, *, most: int = MAX_FRAMES) -> None:
        self._most = most
        self._met = self._step = 0
        self._stride = 1
        """Every so many pictures one is kept; it doubles when there are too many."""
        self._frames: dict[int, bytes] = {}
        self._encoding: set[asyncio.Task[None]] = set()

    def take(self, step: int, picture: Image.Image) -> None:
        """Keep the picture as it stands, perhaps; returns at once.

        After a step back the painter has begun anew, smaller for want of memory.
        """
        if step < self._step:
            self._frames.clear()
        self._step = step
        number = self._met
        self._met += 1
        if number % self._stride or len(self._encoding) >= MAX_IN_HAND:
            return
        task = asyncio.create_task(self._keep(number, picture))
        self._encoding.add(task)
        task.add_done_callback(self._encoding.discard)

    async def save(self, path: Path) -> int:
        """Write what was kept; returns how many frames that are, 0 if they make no film."""
        await asyncio.gather(*self._encoding)
        frames = [frame for _number, frame in sorted(self._frames.items())]
        if len(frames) < MIN_FRAMES:
            return 0
        try:
            await asyncio.to_thread(write_frames, frames, path)
        except OSError as error:
            logger.warning("no frames are kept", extra={"error": type(error).__name__})
            return 0
        return len(frames)

    async def _keep(self, number: int, picture: Image.Image) -> None:
        try:
            frame = await asyncio.to_thread(encode_frame, picture)
        except Exception as error:
            logger.warning("a frame is left out", extra={"error": type(error).__name__})
            return
        self._frames[number] = frame
        if len(self._frames) > self._most:
            self._stride *= 2
        # Also one that was begun before the stride grew: what stays is spread evenly.
        self._frames = {n: f for n, f in self._frames.items() if n % self._stride == 0}
