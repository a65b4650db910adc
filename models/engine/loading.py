"""Loads engines: which networks, and on which devices."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from models.devices.gpu_options import GpuOptions
from models.devices.precision import half_is_wanted, use_tf32
from models.draft.drafter import load_drafter
from models.encoders import load_encoder
from models.engine.stylizer import TorchStylizer
from models.faces import load_face_finder
from models.interface import DeviceSettingError, EngineError, named_devices
from models.weight_files import EncoderName, EncoderSetting, choose_encoder, fetch_vgg16
from models.weights_cache import DEFAULT_CACHE_DIR, WeightsError

_log = logging.getLogger(__name__)


def load_stylizer(
    *,
    encoder: EncoderSetting = "auto",
    device: str = "auto",
    cache_dir: Path = DEFAULT_CACHE_DIR,
    threads: int | None = None,
    draft: bool = True,
    gpu: GpuOptions | None = None,
) -> TorchStylizer:
    """Load the networks once, ready to paint in any one thread, on the first device named.

    `auto` is the GPU and vgg16 where there are both, else the processor and slim;
    `cache_dir` is where vgg16 lies or is downloaded to; `threads` is for the processor and `gpu`
    for a GPU; without `draft` everything is painted from the photo. Raises EngineError.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    place = choose_devices(device)[0]
    name = _choose_encoder(encoder, place, cache_dir)
    return _load(name, place, cache_dir=cache_dir, draft=draft, gpu=gpu)


def load_stylizers(
    *,
    encoder: EncoderSetting = "auto",
    device: str = "auto",
    cpu_workers: int = 1,
    cache_dir: Path = DEFAULT_CACHE_DIR,
    gpu: GpuOptions | None = None,
) -> dict[str, TorchStylizer]:
    """An engine for each device that the setting means, each ready to paint in a thread of its own.

    By the device's name, such as `cuda:0`. On the processor there are `cpu_workers` of them, which
    share its cores evenly. Raises EngineError.
    """
    places = {str(place): place for place in choose_devices(device)}
    if gpu is not None and gpu.graphs and len(places) > 1:
        # While one thread records, CUDA forbids the others to ask for memory.
        raise DeviceSettingError("GPU_GRAPHS works with one GPU alone: name it by DEVICE.")
    if cpu_workers > 1 and "cpu" in places:
        torch.set_num_threads(max(1, torch.get_num_threads() // cpu_workers))
        places = {f"cpu:{number}": places["cpu"] for number in range(cpu_workers)}
    name = _choose_encoder(encoder, next(iter(places.values())), cache_dir)
    return {key: _load(name, place, cache_dir=cache_dir, gpu=gpu) for key, place in places.items()}


def choose_devices(setting: str) -> list[torch.device]:
    """The devices that a setting means on this machine, at least one.

    Raises DeviceSettingError for a GPU that isn't there.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    there = [f"cuda:{number}" for number in range(count)]
    names = named_devices(setting)
    if names == ("auto",):
        names = tuple(there) or ("cpu",)
    elif names == ("cuda",):
        names = tuple(there)
    if names != ("cpu",) and not there:
        raise DeviceSettingError("There is no GPU that torch can use; choose the device cpu.")
    missing = [name for name in names if name != "cpu" and name not in there]
    if missing:
        raise DeviceSettingError(f"There is no {missing[0]}; torch can use {', '.join(there)}.")
    return [torch.device(name) for name in names]


def _choose_encoder(setting: EncoderSetting, place: torch.device, cache_dir: Path) -> EncoderName:
    name = choose_encoder(
        setting, cuda=place.type == "cuda", vgg16_at_hand=lambda: _fetched(cache_dir)
    )
    if setting == "vgg16":
        try:
            fetch_vgg16(cache_dir)
        except WeightsError as error:
            raise EngineError(str(error)) from error
    return name


def _load(
    name: EncoderName,
    place: torch.device,
    *,
    cache_dir: Path,
    draft: bool = True,
    gpu: GpuOptions | None = None,
) -> TorchStylizer:
    if gpu is None or place.type != "cuda":
        gpu = GpuOptions()
    use_tf32(enabled=gpu.tf32)
    # Else cuDNN may add in another order each time: the same input has to give the same picture.
    torch.backends.cudnn.deterministic = True
    try:
        network = load_encoder(name, cache_dir=cache_dir)
    except WeightsError as error:
        raise EngineError(str(error)) from error
    _log.info("painting on %s with the %s encoder", place, name)
    return TorchStylizer(
        network,
        device=place,
        drafter=load_drafter(place, half=half_is_wanted(place, asked=gpu.half)) if draft else None,
        face_finder=load_face_finder(),
        gpu=gpu,
    )


def _fetched(cache_dir: Path) -> bool:
    try:
        fetch_vgg16(cache_dir)
    except WeightsError as error:
        _log.warning("using the slim encoder: %s", error)
        return False
    return True
