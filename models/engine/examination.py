"""What of the engine is there on this machine, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from models.draft.feedforward import FeedForward
from models.encoders import load_encoder
from models.engine.loading import choose_devices
from models.faces import load_face_finder
from models.interface import DeviceSettingError
from models.weight_files import EncoderSetting, choose_encoder
from models.weights_cache import DEFAULT_CACHE_DIR, WeightsError


@dataclass(frozen=True, slots=True)
class EngineFinding:
    """One thing that was looked at; `advice` says what to do about it."""

    good: bool
    what: str
    advice: str = ""
    fatal: bool = False
    """The bot does not start with it."""


def examine_engine(
    *,
    encoder: EncoderSetting = "auto",
    device: str = "auto",
    cpu_workers: int = 1,
    cache_dir: Path = DEFAULT_CACHE_DIR,
) -> Iterator[EngineFinding]:
    """Look at devices and weights without downloading anything."""
    try:
        places = choose_devices(device)
    except DeviceSettingError as error:
        advice = "set DEVICE to auto or cpu, or mend the driver"
        yield EngineFinding(False, str(error), advice, fatal=True)
        places = []
    for place in places:
        yield EngineFinding(True, _painting_on(place, cpu_workers))
    is_cuda = any(place.type == "cuda" for place in places)
    yield _examine_encoder(encoder, cuda=is_cuda, cache_dir=cache_dir)
    try:
        FeedForward.load()
        yield EngineFinding(True, "the draft network is there")
    except WeightsError as error:
        yield EngineFinding(False, str(error), "restore models/weights; paintings start unaided")
    if load_face_finder() is not None:
        yield EngineFinding(True, "the face detector is there")
    else:
        advice = "install requirements.txt again; until then faces are painted like all the rest"
        yield EngineFinding(False, "the face detector can't be used", advice)


def _painting_on(place: torch.device, cpu_workers: int) -> str:
    if place.type == "cuda":
        facts = torch.cuda.get_device_properties(place)
        return f"painting on {place}: {facts.name}, {facts.total_memory / 1e9:.0f} GB"
    threads = max(1, torch.get_num_threads() // cpu_workers)
    workers = f"{cpu_workers} workers of " if cpu_workers > 1 else ""
    return f"painting on the processor, {workers}{threads} threads"


def _examine_encoder(setting: EncoderSetting, *, cuda: bool, cache_dir: Path) -> EngineFinding:
    name = choose_encoder(setting, cuda=cuda, vgg16_at_hand=lambda: True)
    try:
        load_encoder(name, cache_dir=cache_dir)
    except WeightsError as error:
        if name == "vgg16":
            advice = "the first start downloads it; without a network set ENCODER=slim"
        else:
            advice = "restore models/weights from the repository"
        return EngineFinding(False, str(error), advice)
    return EngineFinding(True, f"the {name} encoder is there")
