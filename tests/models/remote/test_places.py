"""Which engines a cluster is to have; `tests/app/test_engine.py` asks a real one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from models.interface import DeviceSettingError, EngineError
from models.remote.places import Machine, choose_places

BOX = Machine("a", "10.0.0.1", gpus=0, cpus=4)
ONE = Machine("b", "10.0.0.2", gpus=1, cpus=16)
TWO = Machine("c", "10.0.0.3", gpus=2, cpus=16)


def places(*machines: Machine, device: str = "auto", cpu_workers: int = 1) -> dict[str, int]:
    """The threads of each place by its name."""
    chosen = choose_places(machines, device=device, cpu_workers=cpu_workers)
    return {place.name: place.threads for place in chosen}


def test_there_is_an_engine_for_each_gpu_and_none_beside_them() -> None:
    assert places(BOX, ONE, TWO) == {
        "10.0.0.2/cuda:0": 16,
        "10.0.0.3/cuda:0": 8,
        "10.0.0.3/cuda:1": 8,
    }
    assert places(BOX, ONE, TWO, device="cuda") == places(BOX, ONE, TWO)


def test_without_a_gpu_the_processors_paint() -> None:
    assert places(BOX) == {"10.0.0.1/cpu:0": 4}
    assert places(BOX, ONE, device="cpu", cpu_workers=2) == {
        "10.0.0.1/cpu:0": 2,
        "10.0.0.1/cpu:1": 2,
        "10.0.0.2/cpu:0": 8,
        "10.0.0.2/cpu:1": 8,
    }


def test_a_machine_has_no_more_workers_than_processors() -> None:
    tiny = Machine("d", "10.0.0.4", gpus=0, cpus=1)
    assert places(tiny, cpu_workers=3) == {"10.0.0.4/cpu:0": 1}


def test_two_parts_of_a_cluster_on_one_machine_have_names_of_their_own() -> None:
    again = Machine("e", BOX.ip, gpus=0, cpus=4)
    assert list(places(BOX, again)) == ["10.0.0.1/cpu:0", "10.0.0.1/cpu:1"]


def test_a_machine_that_joins_has_places_beside_those_there_are() -> None:
    named = {BOX.node_id: ["10.0.0.1/cpu:0"], "gone": ["10.0.0.1/cpu:1"]}
    again = Machine("e", BOX.ip, gpus=0, cpus=4)
    chosen = choose_places([BOX, again], named=named)
    assert [place.name for place in chosen] == ["10.0.0.1/cpu:2"]
    assert choose_places([BOX], named=named) == []


def test_a_place_that_was_given_up_is_chosen_again() -> None:
    chosen = choose_places([TWO], named={TWO.node_id: ["10.0.0.3/cuda:1"]})
    assert [(place.name, place.threads) for place in chosen] == [("10.0.0.3/cuda:0", 8)]


def test_gpus_of_this_machine_mean_nothing_in_a_cluster() -> None:
    with pytest.raises(DeviceSettingError, match="it is auto, cpu or cuda"):
        places(ONE, device="cuda:0")


def test_a_cluster_without_a_gpu_paints_on_none() -> None:
    with pytest.raises(EngineError, match="has no GPU"):
        places(BOX, device="cuda")
    with pytest.raises(EngineError, match="has no processor"):
        places(Machine("f", "10.0.0.5", gpus=0, cpus=0))


def test_the_bot_s_side_loads_neither_torch_nor_ray() -> None:
    code = (
        "import sys, models.remote.engines; sys.exit(bool({'torch', 'ray'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603
    assert done.returncode == 0
