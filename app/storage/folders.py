"""Where a bot's jobs and pictures lie inside the data folder."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path


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
        """Create what is missing, readable by the bot's own account alone. Raises OSError."""
        for folder in (self.root, self.originals, self.results):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flush_folder(self.root)


def write_whole(data: bytes, path: Path) -> None:
    """Blocking: write a file under another name, flush and rename it; a reader never sees a part.

    What fails, or is interrupted, leaves the folder as it was. Raises OSError.
    """
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def flush_folder(folder: Path) -> None:
    """Blocking: a file that was just made or renamed there is still there after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
