"""The one thread that paints, which a clip lends to photos between two of its frames."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

T = TypeVar("T")


class PaintingThread:
    """Does one call after the other; ends with the process."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="painting", daemon=True).start()

    def submit(self, call: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        self._calls.put(partial(_do, future, call))
        return future

    def let_others_in(self) -> None:
        """In this thread, from within a call: do what waits, and return."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._calls.get_nowait()()

    def _work(self) -> None:
        while True:
            self._calls.get()()


def _do(future: Future[T], call: Callable[[], T]) -> None:
    try:
        result = call()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
