"""What holds for all tests."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests import prepared_interpreter

SERVER = pytest.StashKey[tuple["subprocess.Popen[bytes]", Path]]()


def pytest_configure(config: pytest.Config) -> None:
    """One prepared interpreter for all workers."""
    if prepared_interpreter.IS_SUPPORTED and not hasattr(config, "workerinput"):
        folder = Path(tempfile.mkdtemp())
        server = prepared_interpreter.start_server(folder / "socket")
        config.stash[SERVER] = (server, folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The prepared interpreter goes with the tests."""
    if started := config.stash.get(SERVER, None):
        server, folder = started
        server.kill()
        server.wait()
        shutil.rmtree(folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Conversations with real processes first: files go to workers in this order, and a long one
    that begins last is waited for by all.
    """
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)
