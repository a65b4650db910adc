"""One process to a data folder: two would paint, and deliver, the same jobs."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Self, TextIO

from app.errors import CannotRunError, cannot_use
from app.storage.folders import UnusableFolderError


class FolderInUseError(CannotRunError):
    """Another process of the bot works with this data folder; one sentence says so."""


class FolderLock:
    """Held until `release`, or until the process ends in whatever way: the kernel sees to it."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    @classmethod
    def acquire(cls, path: Path) -> Self:
        """Blocking, but never waits. Raises FolderInUseError and UnusableFolderError."""
        try:
            file = path.open("w")
        except OSError as error:
            raise UnusableFolderError(cannot_use(path, error)) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise FolderInUseError(
                f"Another process of the bot works with {path.parent}; end it,"
                " or give this one a data folder of its own."
            ) from None
        except OSError as error:
            file.close()
            raise UnusableFolderError(cannot_use(path, error)) from error
        return cls(file)

    def release(self) -> None:
        self._file.close()
