"""A Ray cluster: which machines it has, and an actor with an engine in each place there is.

Whoever connects becomes a part of it, and is ended by Ray when the cluster goes.
"""

from __future__ import annotations

import importlib.util
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any

from models.interface import DeviceSettingError, EngineError
from models.remote.actors import Actor
from models.remote.digest import project_digest
from models.remote.messages import Changes, ClusterOrder, EngineOrder
from models.remote.places import Machine, Place, choose_places
from models.remote.vgg16 import Vgg16

LOADING_MAY_TAKE_S = 600.0
"""Where the bot can't have VGG16's weights, each machine tries to download them, 528 MB."""

CONNECTING_MAY_TAKE_S = 10.0

TRY_AGAIN_S = 60.0
"""After an engine could not be loaded in its place."""


def check_ray_installed() -> None:
    """Raises DeviceSettingError, one sentence."""
    if importlib.util.find_spec("ray") is None:
        raise DeviceSettingError(
            "RAY_ADDRESS is set, but Ray is not installed: pip install -r requirements-ray.txt."
        )


def connect(address: str) -> list[Machine]:
    """Join the cluster at `address` (`auto` or HOST:PORT) and say which machines it has.

    Blocking, takes seconds; leave it by `ray.shutdown()`. Raises DeviceSettingError where Ray is
    not installed, EngineError where the cluster doesn't answer, and Ray's own errors where it does
    so no more.
    """
    check_ray_installed()
    import ray

    if not ray.is_initialized():
        _join(address)
    machines = [_machine(node) for node in ray.nodes() if node["Alive"]]
    return sorted(machines, key=lambda machine: (machine.ip, machine.node_id))


def no_cluster(address: str) -> str:
    """One sentence."""
    return (
        f"No Ray cluster answers at {address}: start it (README, several machines) and this "
        "machine's part of it, or unset RAY_ADDRESS."
    )


def _join(address: str) -> None:
    import ray

    try:
        ray.init(
            address=_answering(address),
            namespace="style-bot",
            configure_logging=False,  # the log is the bot's own
            log_to_driver=False,
        )
    # What is raised depends on who did not answer: the address, this machine's raylet or a timer.
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        ray.shutdown()  # what was begun
        raise EngineError(no_cluster(address)) from error


def _answering(address: str) -> str:
    """HOST:PORT of a cluster's head that accepts connections: Ray itself would try for minutes.

    Raises OSError.
    """
    from ray._private.services import canonicalize_bootstrap_address_or_die

    found = str(canonicalize_bootstrap_address_or_die(address))
    host, _, port = found.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECTING_MAY_TAKE_S):
        return found


def _machine(node: dict[str, Any]) -> Machine:
    resources = node["Resources"]
    return Machine(
        node_id=node["NodeID"],
        ip=node["NodeManagerAddress"],
        gpus=int(resources.get("GPU", 0)),
        cpus=int(resources.get("CPU", 0)),
    )


@dataclass(slots=True)
class _Seat:
    """A place and what became of its engine."""

    place: Place
    actor: Actor | None = None
    is_loaded: bool = False
    is_told: bool = False
    """Whether `joined` has named it."""
    is_gone: bool = False
    """Whether `gone` has; its name is free once the bot has given it up."""
    problem: str | None = None
    failed_at: float = 0.0
    """By `time.monotonic`."""

    def is_dead(self) -> bool:
        return self.actor is not None and self.actor.is_dead()


class Cluster:
    """The engines of one cluster; they end when this process does."""

    def __init__(self, order: ClusterOrder) -> None:
        """Nothing is connected before `look`."""
        self._order = order
        self._device = order.device
        self._seats: dict[str, _Seat] = {}
        self._last_problems: dict[str, str] = {}
        self._vgg16 = Vgg16(order.cache_dir)

    def actor(self, name: str) -> Actor:
        """Of an engine that has joined. Raises LookupError for one that was given up since."""
        seat = self._seats[name]
        if seat.actor is None or not seat.is_loaded:
            raise LookupError(name)
        return seat.actor

    def look(self, ended: frozenset[str]) -> Changes:
        """Begin to load what is missing, and say what has changed; doesn't wait for engines.

        A place whose engine can't be loaded, because its project is another one for example, is
        tried again after `TRY_AGAIN_S`. Blocks for as long as the cluster doesn't answer.
        """
        for name in ended & self._seats.keys():
            self._give_up(name)
        gone: tuple[str, ...] = ()
        why_none = None
        try:
            machines = connect(self._order.address)
            gone = self._gone({machine.node_id for machine in machines})
            for place in self._missing(machines):
                self._begin_to_load(place)
        except EngineError as error:
            why_none = str(error)
        seats = self._seats.values()
        return Changes(
            joined=self._joined(),
            gone=gone,
            problems=self._problems(),
            is_loading=any(not seat.is_loaded and seat.problem is None for seat in seats),
            why_none=why_none,
        )

    def _gone(self, alive: set[str]) -> tuple[str, ...]:
        gone = []
        for name, seat in list(self._seats.items()):
            is_off = seat.place.machine.node_id not in alive
            if seat.is_gone or not (is_off or (seat.is_loaded and seat.is_dead())):
                continue
            if seat.is_told:
                seat.is_gone = True
                gone.append(name)
            else:
                self._give_up(name)
        return tuple(gone)

    def _give_up(self, name: str) -> None:
        seat = self._seats.pop(name)
        if seat.actor is not None:
            seat.actor.end()

    def _missing(self, machines: list[Machine]) -> list[Place]:
        now = time.monotonic()
        for name, seat in list(self._seats.items()):
            if seat.problem is not None and now - seat.failed_at > TRY_AGAIN_S:
                self._give_up(name)
        named: dict[str, list[str]] = {}
        for name, seat in self._seats.items():
            named.setdefault(seat.place.machine.node_id, []).append(name)
        if self._device == "auto" and any(machine.gpus for machine in machines):
            # From now on: where its GPUs are away, no processor paints in their stead.
            self._device = "cuda"
        return choose_places(
            machines,
            device=self._device,
            cpu_workers=self._order.cpu_workers,
            named=named,
        )

    def _begin_to_load(self, place: Place) -> None:
        seat = self._seats[place.name] = _Seat(place)
        threading.Thread(target=self._load, args=(seat,), daemon=True).start()

    def _load(self, seat: _Seat) -> None:
        order = EngineOrder(
            project=project_digest(),
            encoder=self._order.encoder,
            gpu=self._order.gpu if seat.place.on_gpu else None,
            threads=seat.place.threads,
        )
        try:
            seat.actor = Actor(seat.place)
            weights = self._weights_for(seat.actor, order)
            seat.actor.load(order, weights, timeout_s=LOADING_MAY_TAKE_S)
            seat.is_loaded = True
        except Exception as error:
            reason = str(error) if isinstance(error, EngineError) else repr(error)
            seat.failed_at = time.monotonic()
            seat.problem = f"No engine on {seat.place.name}: {reason}"

    def _weights_for(self, actor: Actor, order: EngineOrder) -> Any:
        """A reference to VGG16's weights, if the actor's machine needs them."""
        wants = order.encoder == "vgg16" or (order.encoder == "auto" and order.gpu is not None)
        if not wants or not actor.lacks_vgg16(timeout_s=LOADING_MAY_TAKE_S):
            return None
        return self._vgg16.reference()

    def _joined(self) -> tuple[str, ...]:
        joined = []
        for name, seat in self._seats.items():
            if seat.is_loaded and not seat.is_told:
                seat.is_told = True
                self._last_problems.pop(name, None)
                joined.append(name)
        return tuple(joined)

    def _problems(self) -> tuple[str, ...]:
        found = {name: seat.problem for name, seat in self._seats.items() if seat.problem}
        news = [text for name, text in found.items() if self._last_problems.get(name) != text]
        self._last_problems.update(found)
        return tuple(news)
