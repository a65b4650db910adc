"""Decoder processes as seen from outside (Linux): found, and stopped in the middle of something."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def decoders_of(parent: int) -> list[int]:
    """The living decoder processes that a process has started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, ppid = _stat(int(entry.name))
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if ppid == parent and b"app.decoding.child" in command and state != "Z":
            found.append(int(entry.name))
    return found


async def first_decoder_of(parent: int) -> int:
    """Wait until there is one."""
    async with asyncio.timeout(PATIENCE_S):
        while not decoders_of(parent):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return decoders_of(parent)[0]


async def hang(decoder: int) -> None:
    """Stop it: what it does next takes for ever, as with a file that is hostile enough."""
    os.kill(decoder, signal.SIGSTOP)
    async with asyncio.timeout(PATIENCE_S):
        while _stat(decoder)[0] != "T":  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def _stat(pid: int) -> tuple[str, int]:
    state, parent, *_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return state, int(parent)
