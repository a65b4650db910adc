"""Which engines a cluster is to have: one for each GPU, or for the machines' processors."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from models.interface import DeviceSettingError, EngineError


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


def check_device(device: str) -> None:
    """Raises DeviceSettingError for one that means nothing in a cluster."""
    if device not in {"auto", "cpu", "cuda"}:
        raise DeviceSettingError(
            f"DEVICE={device} names GPUs of this machine; with RAY_ADDRESS it is auto, cpu or cuda."
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
    before, by their node; those are left out, and no other gets such a name. Raises
    DeviceSettingError, and EngineError where there is nothing for an engine.
    """
    check_device(device)
    on_gpus = device == "cuda" or (device == "auto" and any(each.gpus for each in machines))
    # Two parts of a cluster may share one machine.
    taken = {name for names in named.values() for name in names}
    has_any = any(named.get(each.node_id) for each in machines)
    places = []
    for machine in machines:
        count = machine.gpus if on_gpus else min(cpu_workers, machine.cpus)
        for _ in range(count - len(named.get(machine.node_id, ()))):
            prefix = f"{machine.ip}/{'cuda' if on_gpus else 'cpu'}"
            names = (f"{prefix}:{number}" for number in itertools.count())
            name = next(name for name in names if name not in taken)
            taken.add(name)
            threads = max(1, machine.cpus // count)
            places.append(Place(machine, name, on_gpu=on_gpus, threads=threads))
    if not places and not has_any:
        what = "GPU" if on_gpus else "processor"
        raise EngineError(f"The Ray cluster has no {what} for the engines.")
    return places
