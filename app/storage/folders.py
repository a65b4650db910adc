"""Where a bot's jobs and pictures lie inside the data folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from app.errors import CannotRunError, cannot_use


class UnusableFolderError(CannotRunError):
    """Nothing can be kept in the data folder; one sentence says why."""


@dataclass(frozen=True, slots=True)
class Folders:
    """The data folder and its parts; `make` creates them."""

    root: Path

    def __post_init__(self) -> None:
        # The same file must have the same name for everyone, or retention takes it for an orphan.
        object.__setattr__(self, "root", self.root.absolute())

    @property
    def database(self) -> Path:
        return self.root / "jobs.sqlite3"

    @property
    def lock(self) -> Path:
        return self.root / "jobs.lock"

    @property
    def originals(self) -> Path:
        """Photos and style pictures as people sent them; one file each, never written again."""
        return self.root / "originals"

    @property
    def results(self) -> Path:
        """Finished pictures."""
        return self.root / "results"

    def make(self) -> None:
        """Create what is missing; what is inside is for the bot's own account alone.

        Blocking. Raises UnusableFolderError.
        """
        for folder in (self.root, self.originals, self.results):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if folder != self.root:  # who looks at that one is its owner's business
                    folder.chmod(0o700)
                    flush_folder(folder.parent)
            except (OSError, ValueError) as error:
                raise UnusableFolderError(cannot_use(folder, error)) from error


def flush_folder(folder: Path) -> None:
    """Blocking: a file that was just made or renamed there is still there after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
