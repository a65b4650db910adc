"""The bot's connection to a driver: the process beside it that is a part of the Ray cluster.

Ray ends the process that it was imported in a minute after the cluster's head is gone, by `exit`.
So it is imported in one that the bot can do without, and starts again.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from models.interface import DeviceAwayError, DeviceLostError
from models.remote.messages import ClusterOrder, Ended, Order

COMMAND: Final = (sys.executable, "-m", "models.remote.driver")
ENDING_MAY_TAKE_S: Final = 2.0
"""From the end of the connection to that of the process."""
_ROOT: Final = Path(__file__).parents[2]
_PASSED_ON: Final = (
    *("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV"),
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
)
"""And what Ray is set up by. Nothing else of the environment: it holds the token."""

_log = logging.getLogger(__name__)


class Call:
    """One order and its answers."""

    def __init__(self, driver: Driver, number: int) -> None:
        self._driver = driver
        self._number = number
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def put(self, answer: Any) -> None:
        self._answers.put(answer)

    def next(self, timeout_s: float | None = None) -> Any:
        """The next answer; raises TimeoutError, and DeviceLostError where the driver has ended."""
        try:
            answer = self._answers.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError from None
        if answer is None:
            raise self._driver.why_ended()
        return answer

    def tell(self, order: Order) -> None:
        """Something about this order."""
        self._driver.send(self._number, order)


class Driver:
    """A driver's process, from the first order until `end`."""

    def __init__(self, cluster: ClusterOrder, *, command: tuple[str, ...] = COMMAND) -> None:
        """Raises OSError where no process can be started."""
        ours, its = socket.socketpair()
        with its:
            kept = {
                name: value
                for name, value in os.environ.items()
                if name in _PASSED_ON or name.startswith("RAY_")
            }
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
                (*command, str(its.fileno())),
                stdin=subprocess.DEVNULL,
                pass_fds=[its.fileno()],
                cwd=_ROOT,
                env=kept,
                start_new_session=True,
            )
        self._connection = Connection(ours.detach())
        self._sending = threading.Lock()
        self._calling = threading.Lock()
        self._numbers = itertools.count(1)
        self._calls: dict[int, Call] = {}
        self._has_ended = False
        self._was_told_to_end = False
        self._exit_code: int | None = None
        self.send(0, cluster)
        threading.Thread(target=self._receive, name="Ray driver", daemon=True).start()

    @property
    def has_ended(self) -> bool:
        return self._has_ended

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @contextlib.contextmanager
    def call(self, order: Order) -> Iterator[Call]:
        """Give an order, and hear its answers as long as the block lasts."""
        with self._calling:
            number = next(self._numbers)
            call = self._calls[number] = Call(self, number)
            if self._has_ended:
                call.put(None)
        self.send(number, order)
        try:
            yield call
        finally:
            with self._calling:
                del self._calls[number]

    def send(self, number: int, order: Order | ClusterOrder) -> None:
        """One that doesn't take it any more is heard of by the answers that don't come."""
        with self._sending, contextlib.suppress(OSError):
            self._connection.send((number, order))

    def end(self) -> None:
        """Kill it; its actors end with it. All calls hear of that."""
        self._was_told_to_end = True
        self._process.kill()

    def why_ended(self) -> DeviceLostError:
        """A signal that isn't ours, such as the kernel's where memory is short, may be the doing
        of what it had in hand; Ray's own end is not.
        """
        code = self._exit_code
        if code is not None and code < 0 and not self._was_told_to_end:
            return DeviceLostError(f"the process beside the bot was ended by signal {-code}")
        return DeviceAwayError("the Ray cluster is gone")

    def _receive(self) -> None:
        try:
            while True:
                number, answer = self._connection.recv()
                with self._calling:
                    call = self._calls.get(number)
                if call is not None:
                    call.put(answer)
        except (EOFError, OSError):
            pass
        except Exception:
            _log.exception("the process beside the bot can't be understood")
        self._exit_code = self._wait()
        with self._sending:
            self._connection.close()
        with self._calling:
            self._has_ended = True
            calls = list(self._calls.values())
        for call in calls:
            call.put(None)

    def _wait(self) -> int:
        try:
            return self._process.wait(ENDING_MAY_TAKE_S)
        except subprocess.TimeoutExpired:
            self.end()
            return self._process.wait()


def is_last(answer: Any) -> bool:
    """Whether it is the last answer; raises the error that it brings."""
    if not isinstance(answer, Ended):
        return False
    if answer.error is not None:
        raise answer.error
    return True
