"""Which devices a setting means on a machine, here one with as many GPUs as the test says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from models.devices.gpu_options import GpuOptions
from models.engine.examination import examine_engine
from models.engine.loading import choose_devices, load_stylizers
from models.interface import DeviceSettingError, named_devices

Gpus = Callable[[int], None]


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Gpus:
    def have(count: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    return have


@pytest.mark.parametrize(
    ("setting", "count", "meant"),
    [
        ("auto", 0, ["cpu"]),
        ("auto", 1, ["cuda:0"]),
        ("auto", 3, ["cuda:0", "cuda:1", "cuda:2"]),
        ("cuda", 2, ["cuda:0", "cuda:1"]),
        ("cuda:2,cuda:0", 3, ["cuda:2", "cuda:0"]),
        ("cpu", 2, ["cpu"]),
    ],
)
def test_what_a_setting_means(setting: str, count: int, meant: list[str], gpus: Gpus) -> None:
    gpus(count)
    assert [str(device) for device in choose_devices(setting)] == meant


@pytest.mark.parametrize(
    ("setting", "count", "sentence"),
    [
        ("cuda", 0, "There is no GPU that torch can use; choose the device cpu."),
        ("cuda:0", 0, "There is no GPU that torch can use; choose the device cpu."),
        ("cuda:0,cuda:2", 2, "There is no cuda:2; torch can use cuda:0, cuda:1."),
    ],
)
def test_a_gpu_that_is_not_there_is_one_sentence_at_the_start_and_in_doctor(
    setting: str, count: int, sentence: str, gpus: Gpus
) -> None:
    gpus(count)
    with pytest.raises(DeviceSettingError) as refusal:
        choose_devices(setting)
    assert str(refusal.value) == sentence
    finding = next(iter(examine_engine(device=setting)))
    assert (finding.what, finding.fatal) == (sentence, True)


@pytest.mark.parametrize(
    "setting",
    ["", "gpu", "cuda:", "cuda:01", "cuda:x", "cpu,cuda:0", "auto,cpu", "cpu,cpu", "cpu:0"],
)
def test_what_names_no_devices_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="alone, or GPUs such as"):
        named_devices(setting)


def test_one_device_has_one_worker() -> None:
    assert named_devices("cuda:0, cuda:2") == ("cuda:0", "cuda:2")
    with pytest.raises(ValueError, match="must not name cuda:1 twice"):
        named_devices("cuda:1,cuda:0,cuda:1")


def test_recorded_steps_are_for_one_gpu_alone(gpus: Gpus) -> None:
    gpus(2)
    with pytest.raises(DeviceSettingError, match="GPU_GRAPHS works with one GPU"):
        load_stylizers(device="auto", gpu=GpuOptions(graphs=True))


def test_doctor_says_how_the_processor_is_shared() -> None:
    threads = torch.get_num_threads()
    finding = next(iter(examine_engine(device="cpu", cpu_workers=2)))
    assert finding.what == f"painting on the processor, 2 workers of {max(1, threads // 2)} threads"
