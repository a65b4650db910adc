"""The process ends by itself when its event loop stands still, whoever supervises it."""

from __future__ import annotations

import faulthandler
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

STALLED_AFTER_S: Final = 90.0
"""Many heartbeats; longer than loading a GPU's libraries from a cold disk holds the interpreter."""


@contextmanager
def stall_guard(after_s: float) -> Iterator[Callable[[], None]]:
    """Yields the beat; `after_s` seconds without one end the process with exit code 1.

    The watch is faulthandler's: a thread that needs no interpreter lock, so that an extension that
    never gives the lock back is noticed, too. What every thread was doing goes to stderr.
    """

    def wait_again() -> None:
        faulthandler.dump_traceback_later(after_s, exit=True)

    wait_again()
    try:
        yield wait_again
    finally:
        faulthandler.cancel_dump_traceback_later()
