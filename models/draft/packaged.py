"""The draft's packaged weights: three files, loaded together or not at all."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from models.draft.model import DraftModel
from models.draft.network import draft_encoder
from models.encoders import Encoder
from models.weight_files import PACKAGED, load_packaged
from models.weights_cache import WeightsError

DRAFT_WEIGHTS = "draft.safetensors"
DRAFT_ENCODER = "draft_encoder.safetensors"
"""The encoder that the draft was trained with."""
PRESET_CODES = "preset_codes.safetensors"
"""Codes (1, code_length) that were tuned for the presets' pictures, by `code_key`."""


def code_key(picture_sha256: str, brush: float) -> str:
    """What a preset's tuned code is filed under: its picture, at the brush it was tuned for."""
    return f"{picture_sha256}@{brush:g}"


def load_draft_model(folder: Path = PACKAGED) -> DraftModel:
    """The trained network, on the CPU.

    Raises `WeightsError` if its weights are missing, damaged or of another version.
    """
    model = DraftModel()
    tensors = load_packaged(DRAFT_WEIGHTS, folder=folder)
    try:
        model.load_state_dict({key: tensor.float() for key, tensor in tensors.items()})
    except RuntimeError as error:
        raise WeightsError(
            f"{DRAFT_WEIGHTS} was made for another version of the network"
        ) from error
    return model.eval()


def load_draft_encoder(folder: Path = PACKAGED) -> Encoder:
    """The draft's own encoder, frozen, on the CPU; raises `WeightsError`."""
    encoder = draft_encoder()
    encoder.load_convolutions(load_packaged(DRAFT_ENCODER, folder=folder))
    return encoder.eval().requires_grad_(False)


def load_preset_codes(folder: Path = PACKAGED) -> dict[str, Tensor]:
    """The presets' codes, on the CPU; raises `WeightsError`."""
    return {k: code.float() for k, code in load_packaged(PRESET_CODES, folder=folder).items()}
