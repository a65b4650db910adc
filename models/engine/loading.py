"""Loads the engine: what to load on this machine, and what is missing from it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from models.draft.drafter import load_drafter
from models.draft.feedforward import FeedForward
from models.encoders import load_encoder
from models.engine.stylizer import TorchStylizer
from models.faces import load_face_finder
from models.interface import EngineError
from models.weight_files import EncoderSetting, WeightsError, choose_encoder, fetch_vgg16

_log = logging.getLogger(__name__)

DeviceSetting = Literal["auto", "cpu", "cuda"]

DEFAULT_CACHE_DIR = Path("data/cache")


def load_stylizer(
    *,
    encoder: EncoderSetting = "auto",
    device: DeviceSetting = "auto",
    cache_dir: Path = DEFAULT_CACHE_DIR,
    threads: int | None = None,
    draft: bool = True,
) -> TorchStylizer:
    """Load the networks once, ready to paint in any one thread.

    `auto` is the GPU and vgg16 where there are both, else the processor and slim;
    `cache_dir` is where vgg16 lies or is downloaded to; `threads` is for the processor; without
    `draft` everything is painted from the photo. Raises EngineError.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    place = choose_device(device)
    # Else cuDNN may add in another order each time: the same input has to give the same picture.
    torch.backends.cudnn.deterministic = True
    name = choose_encoder(
        encoder, cuda=place.type == "cuda", vgg16_at_hand=lambda: _fetched(cache_dir)
    )
    try:
        if encoder == "vgg16":
            fetch_vgg16(cache_dir)
        network = load_encoder(name, cache_dir=cache_dir)
    except WeightsError as error:
        raise EngineError(str(error)) from error
    _log.info("painting on %s with the %s encoder", place.type, name)
    return TorchStylizer(
        network,
        device=place,
        drafter=load_drafter(place) if draft else None,
        face_finder=load_face_finder(),
    )


def choose_device(setting: DeviceSetting) -> torch.device:
    """The device that a setting means on this machine; EngineError for a GPU that isn't there."""
    cuda = torch.cuda.is_available()
    if setting == "cuda" and not cuda:
        raise EngineError("There is no NVIDIA card that torch can use; choose the device cpu.")
    return torch.device("cuda" if cuda and setting != "cpu" else "cpu")


def _fetched(cache_dir: Path) -> bool:
    try:
        fetch_vgg16(cache_dir)
    except WeightsError as error:
        _log.warning("using the slim encoder: %s", error)
        return False
    return True


@dataclass(frozen=True, slots=True)
class EngineFinding:
    """One thing that was looked at; `advice` says what to do about it."""

    good: bool
    what: str
    advice: str = ""


def examine_engine(
    *,
    encoder: EncoderSetting = "auto",
    device: DeviceSetting = "auto",
    cache_dir: Path = DEFAULT_CACHE_DIR,
) -> Iterator[EngineFinding]:
    """Look at device and weights without downloading anything."""
    try:
        place = choose_device(device)
    except EngineError as error:
        yield EngineFinding(False, str(error), "set DEVICE to auto or cpu, or mend the driver")
        place = torch.device("cpu")
    if place.type == "cuda":
        yield EngineFinding(True, f"painting on {torch.cuda.get_device_name(place)}")
    else:
        yield EngineFinding(True, f"painting on the processor, {torch.get_num_threads()} threads")
    yield _examine_encoder(encoder, cuda=place.type == "cuda", cache_dir=cache_dir)
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
