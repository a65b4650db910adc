"""The bot's engines in a Ray cluster, through a driver that may end and is started again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from models.interface import DeviceLostError
from models.remote.cluster import check_ray_installed, no_cluster
from models.remote.link import COMMAND, Driver, is_last
from models.remote.messages import Changes, ClusterOrder, Look
from models.remote.places import check_device
from models.remote.stylizer import RemoteStylizer

ANSWERING_MAY_TAKE_S = 30.0
"""A cluster that says nothing for so long is gone. Ray itself would wait for a minute."""

STARTING_MAY_TAKE_S = 120.0
"""Until a driver that has just been started has loaded Ray and joined the cluster."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineChanges:
    """What is different since the last look."""

    joined: Mapping[str, RemoteStylizer] = field(default_factory=dict)
    """New engines, by their name, such as `10.0.0.2/cuda:0`."""
    gone: frozenset[str] = frozenset()
    """Those that paint no more; what they had in hand hears of it by itself."""
    is_loading: bool = False
    """More will join."""
    why_none: str | None = None
    """One sentence, where the cluster is away or has nothing for an engine."""


class RemoteEngines:
    """The engines of one cluster; they end when this process does, or by `close`."""

    def __init__(self, order: ClusterOrder, *, command: tuple[str, ...] = COMMAND) -> None:
        """Nothing is connected before `look`, which starts `command`. Raises DeviceSettingError."""
        check_device(order.device)
        check_ray_installed()
        self.order = order
        self._command = command
        self._driver: Driver | None = None
        self._at_work: set[str] = set()
        """Those that have joined, until they are given up."""
        self._lock = threading.Lock()
        self._is_closed = False

    def look(self, ended: Collection[str] = ()) -> EngineChanges:
        """Begin to load what is missing, and say what has changed; doesn't wait for engines.

        `ended` are engines that were given up: each is ended and loaded anew, if its machine is
        still there. Blocking, takes seconds where the cluster doesn't answer.
        """
        try:
            driver = self._connected()
            if driver is None:
                return EngineChanges()
            # An engine is given up once, though its worker may be shown until another one comes.
            given_up = frozenset(ended) & self._at_work
            changes = self._ask(driver, given_up)
        except (DeviceLostError, TimeoutError):
            return self._all_gone()
        except Exception as error:
            _log.warning("the Ray cluster can't be looked at: %r", error)
            return self._all_gone()
        for problem in changes.problems:
            _log.error("%s", problem)
        self._at_work = (self._at_work - given_up) | set(changes.joined)
        return EngineChanges(
            joined={name: RemoteStylizer(driver, name) for name in changes.joined},
            gone=frozenset(changes.gone),
            is_loading=changes.is_loading,
            why_none=changes.why_none,
        )

    def close(self) -> None:
        """End the driver and its engines; a look that is under way ends as well."""
        with self._lock:
            self._is_closed = True
            if self._driver is not None:
                self._driver.end()

    def _connected(self) -> Driver | None:
        """The driver; None after `close`. Raises DeviceLostError where it has ended."""
        with self._lock:
            if self._is_closed:
                return None
            if self._driver is None:
                self._driver = Driver(self.order, command=self._command)
            elif self._driver.has_ended:
                raise self._driver.why_ended()
            return self._driver

    def _ask(self, driver: Driver, given_up: frozenset[str]) -> Changes:
        within_s = ANSWERING_MAY_TAKE_S if self._at_work else STARTING_MAY_TAKE_S
        changes = Changes()
        with driver.call(Look(ended=given_up)) as call:
            while not is_last(answer := call.next(timeout_s=within_s)):
                changes = answer
        return changes

    def _all_gone(self) -> EngineChanges:
        with self._lock:
            if self._driver is not None:
                self._driver.end()
                self._driver = None
        gone, self._at_work = frozenset(self._at_work), set()
        return EngineChanges(gone=gone, why_none=no_cluster(self.order.address))
