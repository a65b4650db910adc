"""Engines in a Ray cluster: which machines there are, and an actor for each GPU of theirs."""

from __future__ import annotations

import importlib.util
import itertools
import logging
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from models.devices.gpu_options import GpuOptions
from models.interface import DeviceSettingError, EngineError
from models.remote.digest import project_digest
from models.remote.messages import EngineOrder
from models.remote.painter import RemotePainter
from models.remote.stylizer import CONTROL, RayStylizer

if TYPE_CHECKING:
    from models.weight_files import EncoderSetting

LOADING_MAY_TAKE_S = 600.0
"""VGG16's weights are downloaded once on each machine, 528 MB."""

CONNECTING_MAY_TAKE_S = 10.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of the cluster, with what it gives to Ray."""

    node_id: str
    ip: str
    gpus: int
    cpus: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where one engine is to be."""

    machine: Machine
    name: str
    """Such as `10.0.0.2/cuda:0`."""
    on_gpu: bool
    threads: int
    """Its share of the machine's processors."""


def check_ray_installed() -> None:
    """Raises DeviceSettingError, one sentence."""
    if importlib.util.find_spec("ray") is None:
        raise DeviceSettingError(
            "RAY_ADDRESS is set, but Ray is not installed: pip install -r requirements-ray.txt."
        )


def connect(address: str) -> list[Machine]:
    """Join the cluster at `address` (`auto` or HOST:PORT) and say which machines it has.

    Blocking, takes seconds; leave it by `ray.shutdown()`. Raises DeviceSettingError where Ray is
    not installed, EngineError where the cluster doesn't answer.
    """
    check_ray_installed()
    record_factory = logging.getLogRecordFactory()
    import ray

    # Ray's own would put a field more into every line of the log.
    logging.setLogRecordFactory(record_factory)
    try:
        if not ray.is_initialized():
            ray.init(
                address=_answering(address),
                namespace="style-bot",
                configure_logging=False,  # the log is the bot's own
                log_to_driver=False,
            )
        nodes = ray.nodes()
    # What is raised depends on who did not answer: the address, this machine's raylet or a timer.
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise EngineError(
            f"No Ray cluster answers at {address}: start it (README, several machines) and this "
            "machine's part of it, or unset RAY_ADDRESS."
        ) from error
    machines = [_machine(node) for node in nodes if node["Alive"]]
    return sorted(machines, key=lambda machine: (machine.ip, machine.node_id))


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


def choose_places(
    machines: Sequence[Machine],
    *,
    device: str = "auto",
    cpu_workers: int = 1,
    named: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[Place]:
    """One for each GPU of the cluster, or, where there is none, `cpu_workers` for each machine.

    `device` as in `named_devices`, but no single GPUs. `named` are the places that were chosen
    before, by their node; those are left out. Raises DeviceSettingError, also where there is
    nothing for an engine and never was.
    """
    if device not in {"auto", "cpu", "cuda"}:
        raise DeviceSettingError(
            f"DEVICE={device} names GPUs of this machine; with RAY_ADDRESS it is auto, cpu or cuda."
        )
    on_gpus = device == "cuda" or (device == "auto" and any(each.gpus for each in machines))
    # Two parts of a cluster may share one machine.
    taken = {name for each in machines for name in named.get(each.node_id, ())}
    places = []
    for machine in machines:
        if machine.node_id in named:
            continue
        count = machine.gpus if on_gpus else min(cpu_workers, machine.cpus)
        for _ in range(count):
            prefix = f"{machine.ip}/{'cuda' if on_gpus else 'cpu'}"
            names = (f"{prefix}:{number}" for number in itertools.count())
            name = next(name for name in names if name not in taken)
            taken.add(name)
            threads = max(1, machine.cpus // count)
            places.append(Place(machine, name, on_gpu=on_gpus, threads=threads))
    if not places and not named:
        what = "GPU" if on_gpus else "processor"
        raise DeviceSettingError(f"The Ray cluster has no {what} for the engines.")
    return places


class RemoteEngines:
    """The engines of the cluster at `address`; they end when this process does."""

    def __init__(
        self,
        address: str,
        *,
        encoder: EncoderSetting = "auto",
        device: str = "auto",
        cpu_workers: int = 1,
        gpu: GpuOptions | None = None,
    ) -> None:
        """Nothing is connected before `look`."""
        self._address = address
        self._encoder: EncoderSetting = encoder
        self._device = device
        self._cpu_workers = cpu_workers
        self._gpu = gpu or GpuOptions()
        self._named: dict[str, list[str]] = {}
        """The places of each node that an engine was loaded for, or should have been."""

    def look(self) -> dict[str, RayStylizer]:
        """Load an engine for each place that was not there when looked last; by its name.

        Blocking, takes seconds to minutes. A place whose engine can't be loaded, because its
        project is another one for example, is left out and named in the log; once Ray is started
        there again, it is a new one. Raises DeviceSettingError, and EngineError where the cluster
        does not answer or the first look finds no engine.
        """
        machines = connect(self._address)
        places = choose_places(
            machines, device=self._device, cpu_workers=self._cpu_workers, named=self._named
        )
        is_first = not self._named
        for place in places:
            self._named.setdefault(place.machine.node_id, []).append(place.name)
        loaded, problems = self._load(places)
        if is_first and not loaded:
            raise EngineError(problems[0])
        return loaded

    def _load(self, places: Sequence[Place]) -> tuple[dict[str, RayStylizer], list[str]]:
        project = project_digest()
        actors = [_start_actor(place) for place in places]
        loading = [
            actor.load.remote(self._order(place, project))
            for place, actor in zip(places, actors, strict=True)
        ]
        loaded: dict[str, RayStylizer] = {}
        problems = []
        for place, actor, reference in zip(places, actors, loading, strict=True):
            problem = _why_not_loaded(reference)
            if problem is None:
                _log.info("painting on %s", place.name)
                loaded[place.name] = RayStylizer(actor)
            else:
                problems.append(f"No engine on {place.name}: {problem}")
                _log.error("%s", problems[-1])
        return loaded, problems

    def _order(self, place: Place, project: str) -> EngineOrder:
        return EngineOrder(
            project=project,
            encoder=self._encoder,
            gpu=self._gpu if place.on_gpu else None,
            threads=place.threads,
        )


def _start_actor(place: Place) -> Any:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    as_actor = ray.remote(
        num_cpus=0 if place.on_gpu else place.threads,
        num_gpus=int(place.on_gpu),
        concurrency_groups={CONTROL: 1},
        # One that died is as lost as a GPU: its job must not begin again behind the bot's back.
        max_restarts=0,
        scheduling_strategy=NodeAffinitySchedulingStrategy(place.machine.node_id, soft=False),
    )
    return as_actor(RemotePainter).remote()


def _why_not_loaded(loading: Any) -> str | None:
    """Wait for an engine; one sentence if it isn't there."""
    import ray
    from ray.exceptions import GetTimeoutError, RayError, RayTaskError

    try:
        ray.get(loading, timeout=LOADING_MAY_TAKE_S)
    except GetTimeoutError:
        return f"it was not ready after {LOADING_MAY_TAKE_S:.0f} s; does another program hold it?"
    except RayTaskError as error:
        if isinstance(error.cause, EngineError):
            return str(error.cause)
        return f"{error.cause!r}"
    except RayError as error:
        last = str(error).strip().splitlines()[-1].strip()
        return f"start Ray there from the project's folder (README, several machines). {last}"
    return None
