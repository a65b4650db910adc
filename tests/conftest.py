"""What holds for all tests."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from itertools import zip_longest
from pathlib import Path

import pytest
from execnet import XSpec

from tests import prepared_interpreter

BUSY = {"models", "styles"}
"""Folders of files that keep a core busy."""
SERVER = pytest.StashKey[tuple["subprocess.Popen[bytes]", Path]]()


def pytest_configure(config: pytest.Config) -> None:
    """One prepared interpreter for all workers; it has none itself when it collects for them."""
    if prepared_interpreter.IS_SUPPORTED and not prepared_interpreter.is_there():
        folder = Path(tempfile.mkdtemp())
        server = prepared_interpreter.start_server(folder, config.invocation_params.args)
        config.stash[SERVER] = (server, folder)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: list[XSpec]) -> None:
    """The workers are forked from it."""
    if started := config.stash.get(SERVER, None):
        _, folder = started
        for spec in specs:
            spec.python = prepared_interpreter.worker_command(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The prepared interpreter goes with the tests."""
    if started := config.stash.get(SERVER, None):
        server, folder = started
        server.kill()
        server.wait()
        shutil.rmtree(folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Conversations with real processes and files that keep a core busy take turns.

    Files go to workers in this order: so some wait while others work, and what takes long (the
    engine, the drawings) does not begin last, to be waited for by all.
    """
    by_file: dict[Path, list[pytest.Item]] = {}
    for item in items:
        by_file.setdefault(item.path, []).append(item)
    waiting = [file for file in by_file.values() if file[0].get_closest_marker("e2e")]
    working = [file for file in by_file.values() if not file[0].get_closest_marker("e2e")]
    working.sort(key=lambda file: BUSY.isdisjoint(file[0].path.parts))
    turns = [file for pair in zip_longest(waiting, working) for file in pair if file is not None]
    items[:] = [item for file in turns for item in file]
