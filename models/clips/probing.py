"""A look at a clip, in a process that may be killed: how long it is, how large, how many frames."""

from __future__ import annotations

from pathlib import Path

from models.clips.interface import ClipFacts
from models.clips.reader import ReaderProcess


def probe(path: Path) -> ClipFacts:
    """What a file is, by its packets, its first frame and no more. Blocking, for half a second.

    Checks no limits: `check_clip` does. Raises ClipError, also for what takes too long to read or
    takes the reader down.
    """
    with ReaderProcess() as reader:
        return reader.probe(path)
