"""Weights as files beside their SHA-256: read once, and checked as they are. Imports no torch."""

from __future__ import annotations

import hashlib
from pathlib import Path

from models.files import write_atomically

DEFAULT_CACHE_DIR = Path("data/cache")
"""Where VGG16 is kept, below the working directory, if nobody says otherwise."""
VGG16_CACHED = "vgg16_convolutions.safetensors"


class WeightsError(Exception):
    """Weights can't be had; the message is one English sentence that says which and why."""


def read_checked(path: Path, expected: str) -> bytes:
    """The bytes of a file, if they are those of this SHA-256. Raises WeightsError."""
    try:
        content = path.read_bytes()
    except OSError:
        raise WeightsError(f"The weights {path.name} are missing from {path.parent}.") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise WeightsError(
            f"The weights {path} are damaged: their SHA-256 is not the expected one."
        )
    return content


def read_vgg16(cache_dir: Path) -> bytes:
    """VGG16's convolutions, safetensors; raises WeightsError if they aren't there, or damaged."""
    path = cache_dir / VGG16_CACHED
    try:
        expected = _checksum_path(path).read_text(encoding="ascii").strip()
    except OSError:
        raise WeightsError(f"The VGG16 weights have not been downloaded to {cache_dir}.") from None
    return read_checked(path, expected)


def write_vgg16(cache_dir: Path, content: bytes) -> None:
    """Keep them, then their checksum: only both together count as present.

    The folder is made. Raises OSError.
    """
    cache_dir.mkdir(parents=True, exist_ok=True)
    path = cache_dir / VGG16_CACHED
    write_atomically(path, content)
    checksum = hashlib.sha256(content).hexdigest()
    write_atomically(_checksum_path(path), f"{checksum}\n".encode("ascii"))


def _checksum_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")
