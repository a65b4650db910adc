"""Loads the engine: which networks, and on which device."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

import torch

from models.draft.drafter import load_drafter
from models.encoders import load_encoder
from models.engine.stylizer import TorchStylizer
from models.faces import load_face_finder
from models.interface import EngineError
from models.weight_files import (
    DEFAULT_CACHE_DIR,
    EncoderSetting,
    WeightsError,
    choose_encoder,
    fetch_vgg16,
)

_log = logging.getLogger(__name__)

DeviceSetting = Literal["auto", "cpu", "cuda"]


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
