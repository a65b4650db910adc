"""How much the data folder takes on the disk, and who may take more: a quota over all of it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HEADROOM: Final = 0.1
"""This part of the quota is never given away: the databases and their logs breathe."""
_LOOK_EVERY_S: Final = 30.0
_LOOK_EVERY_S_WHEN_SHORT: Final = 1.0
"""A look goes over every file, so a crowd that finds no room must not have one each."""


class NoRoomError(Exception):
    """The quota, or the disk, has no room for so much."""


@dataclass(slots=True)
class Reservation:
    """Room that somebody is about to fill."""

    size_bytes: int
    kept_bytes: int = 0
    """What lies on the disk in the end; to be filled in by whoever reserved."""


class DiskRoom:
    """Gives away what the quota leaves.

    How much is there is looked up in a thread from time to time; in between, what was written is
    added up. Before anybody is refused, `make_room` is asked to delete so many bytes of what
    nobody needs; it returns how many went. `promised` is what will be written later and can't be
    refused then.
    """

    def __init__(
        self,
        root: Path,
        *,
        quota_bytes: int,
        promised: Callable[[], int],
        make_room: Callable[[int], Awaitable[int]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root = root
        self._given_away_up_to = round(quota_bytes * (1 - _HEADROOM))
        self._promised = promised
        self._make_room = make_room
        self._clock = clock
        self._used = self._written = self._reserved = 0
        self._looked_at = float("-inf")
        self._deciding = asyncio.Lock()

    @asynccontextmanager
    async def reserve(self, size_bytes: int) -> AsyncIterator[Reservation]:
        """Room for so much, for the block. Raises NoRoomError before it begins."""
        reservation = Reservation(0)
        await self.grow(reservation, size_bytes)
        try:
            yield reservation
        finally:
            self._reserved -= reservation.size_bytes
            self._written += reservation.kept_bytes

    async def grow(self, reservation: Reservation, size_bytes: int) -> None:
        """It turned out to be more. Raises NoRoomError, and then it is what it was."""
        more = size_bytes - reservation.size_bytes
        async with self._deciding:
            if not await self._has_room(more):
                raise NoRoomError
            self._reserved += more
            reservation.size_bytes = size_bytes

    def note_written(self, size_bytes: int) -> None:
        """What was promised is on the disk now."""
        self._written += size_bytes

    async def _has_room(self, size_bytes: int) -> bool:
        await self._look(_LOOK_EVERY_S)
        if size_bytes > self._free():
            await self._look(_LOOK_EVERY_S_WHEN_SHORT)
        if size_bytes > self._free():
            self._used -= await self._make_room(size_bytes - self._free())
        return size_bytes <= self._free()

    def _free(self) -> int:
        taken = self._used + self._written + self._reserved + self._promised()
        return self._given_away_up_to - taken

    async def _look(self, every_s: float) -> None:
        now = self._clock()
        if now - self._looked_at < every_s:
            return
        # What is written while the look is taken may be counted twice: better than not at all.
        before = self._written
        self._used = await asyncio.to_thread(tree_bytes, self._root)
        self._written -= before
        self._looked_at = now


def tree_bytes(root: Path) -> int:
    """Blocking: what everything under a folder takes on the disk."""
    total, folders = 0, [str(root)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        total += _size_of(entry)
        except FileNotFoundError:  # somebody deleted it since it was listed
            continue
    return total


def _size_of(entry: os.DirEntry[str]) -> int:
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return 0
    return max(status.st_size, 512 * status.st_blocks)
