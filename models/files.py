"""Files by their content, and files that are there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal: what style pictures are known by, whatever their name.

    Raises OSError.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Write `path` anew; a crash at any moment leaves the former file or the new one.

    The folder must be there. Raises OSError, and leaves nothing beside the file then.
    """
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as part:
        try:
            part.write(content)
            part.flush()
            os.fsync(part.fileno())
            Path(part.name).replace(path)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise


def flushed(path: Path) -> None:
    """Have a file that was written by something else on the disk. Raises OSError."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
