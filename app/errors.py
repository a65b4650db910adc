"""Why the bot can't run, where its owner can do something about it."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

_REASONS: Final = {
    errno.EACCES: "the bot's account may not write there",
    errno.EPERM: "the bot's account may not write there",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system can only be read",
    errno.ENOTDIR: "a part of the path is a file",
    errno.EEXIST: "a file of that name is in the way",
    errno.EISDIR: "a folder of that name is in the way",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ELOOP: "its links lead round in a circle",
    errno.EADDRINUSE: "another program has it",
}


class CannotRunError(Exception):
    """The bot can't run as things are; one sentence says why."""


def cannot_use(what: str | Path, error: OSError | ValueError) -> str:
    """The sentence for a file, a folder or a port that can't be used."""
    number = error.errno if isinstance(error, OSError) else None
    reason = _REASONS.get(number or 0) or getattr(error, "strerror", None) or str(error)
    return f"{what} can't be used: {reason}."
