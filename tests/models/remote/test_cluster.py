"""Which engines are loaded, lost and loaded anew, as the cluster changes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from models.devices.gpu_options import GpuOptions
from models.interface import EngineError
from models.remote import cluster as module
from models.remote.cluster import Cluster
from models.remote.messages import Changes, ClusterOrder
from models.remote.places import Machine, Place

BOX = Machine("a", "10.0.0.1", gpus=0, cpus=4)
GPUS = Machine("b", "10.0.0.2", gpus=2, cpus=16)


class FakeRay:
    """Machines to be chosen by a test, and actors that load at once."""

    def __init__(self) -> None:
        self.machines = [GPUS]
        self.problem: str | None = None
        self.dead: set[str] = set()
        self.ended: list[str] = []

    def connect(self, _: str) -> list[Machine]:
        return self.machines

    def actor(self, place: Place) -> FakeActor:
        return FakeActor(self, place.name)


class FakeActor:
    def __init__(self, ray: FakeRay, name: str) -> None:
        self._ray = ray
        self._name = name
        self._died_before = name in ray.dead

    def lacks_vgg16(self, **_: Any) -> bool:
        return False

    def load(self, *_: Any, **__: Any) -> None:
        if self._ray.problem is not None:
            raise EngineError(self._ray.problem)

    def is_dead(self) -> bool:
        return self._name in self._ray.dead

    def end(self) -> None:
        self._ray.ended.append(self._name)
        self._ray.dead.discard(self._name)


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    ray = FakeRay()
    monkeypatch.setattr(module, "connect", ray.connect)
    monkeypatch.setattr(module, "Actor", ray.actor)
    return ray


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    order = ClusterOrder(
        address="auto",
        encoder="slim",
        device="auto",
        cpu_workers=1,
        gpu=GpuOptions(),
        cache_dir=tmp_path,
    )
    return Cluster(order)


def settled(cluster: Cluster, *ended: str) -> Changes:
    """All that changes until nothing is being loaded; which engine is ready first is chance."""
    changes = [cluster.look(frozenset(ended))]
    while changes[-1].is_loading:
        time.sleep(0.01)
        changes.append(cluster.look(frozenset()))
    return Changes(
        joined=tuple(sorted(name for each in changes for name in each.joined)),
        gone=tuple(name for each in changes for name in each.gone),
        problems=tuple(text for each in changes for text in each.problems),
        why_none=changes[-1].why_none,
    )


def test_each_gpu_joins_once(ray: FakeRay, cluster: Cluster) -> None:
    assert settled(cluster).joined == ("10.0.0.2/cuda:0", "10.0.0.2/cuda:1")
    assert settled(cluster) == Changes()


def test_an_engine_whose_process_died_is_gone_once_and_loaded_anew_when_given_up(
    ray: FakeRay, cluster: Cluster
) -> None:
    settled(cluster)
    ray.dead.add("10.0.0.2/cuda:1")
    assert settled(cluster) == Changes(gone=("10.0.0.2/cuda:1",))
    assert settled(cluster) == Changes(), "its name is the bot's until it is given up"
    assert settled(cluster, "10.0.0.2/cuda:1") == Changes(joined=("10.0.0.2/cuda:1",))
    assert ray.ended == ["10.0.0.2/cuda:1"]


def test_an_engine_that_hangs_is_ended_and_loaded_anew(ray: FakeRay, cluster: Cluster) -> None:
    settled(cluster)
    assert settled(cluster, "10.0.0.2/cuda:0") == Changes(joined=("10.0.0.2/cuda:0",))
    assert ray.ended == ["10.0.0.2/cuda:0"]


def test_where_the_gpus_are_away_no_processor_paints_in_their_stead(
    ray: FakeRay, cluster: Cluster
) -> None:
    ray.machines = [BOX, GPUS]
    settled(cluster)
    ray.machines = [BOX]
    changes = settled(cluster)
    assert changes.gone == ("10.0.0.2/cuda:0", "10.0.0.2/cuda:1")
    assert not changes.joined
    assert settled(cluster, *changes.gone).why_none == "The Ray cluster has no GPU for the engines."
    ray.machines = [BOX, Machine("c", GPUS.ip, gpus=2, cpus=16)]
    assert settled(cluster).joined == ("10.0.0.2/cuda:0", "10.0.0.2/cuda:1")


def test_a_place_without_an_engine_is_told_of_once_and_tried_again(
    ray: FakeRay, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray.problem = "its project is another one."
    assert sorted(settled(cluster).problems) == [
        f"No engine on 10.0.0.2/cuda:{number}: its project is another one." for number in (0, 1)
    ]
    ray.problem = None
    assert settled(cluster) == Changes(), "it is not tried at every look"
    ray.problem = "its project is another one."
    monkeypatch.setattr(module, "TRY_AGAIN_S", 0.5)
    time.sleep(0.6)
    assert settled(cluster) == Changes(), "the same is not said twice"
    ray.problem = None
    time.sleep(0.6)
    assert settled(cluster).joined == ("10.0.0.2/cuda:0", "10.0.0.2/cuda:1")
