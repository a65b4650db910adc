"""How many of the processor's threads torch computes with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def computing_threads(count: int) -> Iterator[None]:
    """Within it torch computes with `count` threads whatever this thread asks it for.

    Each thread has its own number; one that computes for the first time takes over what another
    set last. So whoever depends on it sets it.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
