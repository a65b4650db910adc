"""Files by their content, and files that are there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal: what style pictures are known by, whatever their name.

    Raises OSError.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, content: bytes, *, part: Path | None = None) -> None:
    """Write `path` anew; a crash at any moment leaves the former file or the new one.

    `part` is the name that it has until it is whole, one of its own if not given. The folder must
    be there. Raises OSError; what fails, or is interrupted, leaves the folder as it was.
    """
    part = part or path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def flushed(path: Path) -> None:
    """Have a file that was written by something else on the disk. Raises OSError."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
