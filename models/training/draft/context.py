"""What a training of the draft needs beside its run: teacher, styles, validation pairs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import load_file
from tqdm import tqdm

from models.devices.placement import placed
from models.draft.model import DraftModel
from models.draft.network import draft_encoder
from models.draft.packaged import load_draft_encoder
from models.encoders import Encoder, load_encoder
from models.training.data import load_pictures, picture_paths
from models.training.draft.loss_networks import LossNetworks
from models.training.draft.preset_pictures import PresetPicture, preset_pictures
from models.training.draft.recipe import Recipe
from models.training.draft.style_bank import LONG_SIDE_PX, StyleBank, build_bank
from models.training.draft.validation import Validation
from models.training.evaluation.judge import Judge, load_judge
from models.training.teachers import load_slim_vgg19, load_vgg16
from models.weight_files import EncoderName
from models.weights_cache import DEFAULT_CACHE_DIR

_Network = TypeVar("_Network", Encoder, Judge)


@dataclass(frozen=True, slots=True)
class StepContext:
    """Everything a step needs beside the run itself."""

    encoder: Encoder
    """Our own, which the network sees through."""
    loss_networks: LossNetworks
    bank: StyleBank


@dataclass(frozen=True, slots=True)
class TrainingContext(StepContext):
    """Everything a report needs as well."""

    presets: list[PresetPicture]
    validation: Validation
    device: torch.device

    def validate(self, model: DraftModel, sheet: Path) -> dict[str, float]:
        """The figures of merit over the validation pairs; writes their contact sheet."""
        return self.validation.report(model, sheet)


@dataclass(frozen=True, slots=True)
class TrainingPaths:
    """The files and folders that a training reads or writes."""

    data: Path
    """photos/, styles/ and teacher/."""
    presets: Path
    """The presets.toml whose pictures are to come out best."""
    out: Path
    encoder: Path | None = None
    """Weights of the draft's encoder, if not the packaged ones."""
    cache: Path = DEFAULT_CACHE_DIR
    """Where the judge's VGG16 lies or is kept."""
    critic: EncoderName = "vgg16"
    """What sees every painting; the slim encoder, which VGG16 taught, takes a tenth of its time."""


def load_context(paths: TrainingPaths, recipe: Recipe, *, device: torch.device) -> TrainingContext:
    """Load or make everything; the styles take seconds on a GPU, and minutes on a processor."""
    ours = _ready(_draft_encoder(paths.encoder), device)
    loss_networks = load_loss_networks(paths.data, ours, paths.critic)
    judge = _ready(load_judge(paths.data, paths.cache), device)
    if judge.remark:
        tqdm.write(judge.remark)
    presets = preset_pictures(paths.presets)
    return TrainingContext(
        encoder=ours,
        loss_networks=loss_networks,
        bank=_bank(paths, presets, recipe, ours, loss_networks),
        presets=presets,
        validation=Validation(paths.data, ours, judge),
        device=device,
    )


def load_loss_networks(data: Path, encoder: Encoder, critic: EncoderName) -> LossNetworks:
    """`critic`, `encoder`, the draft's own, and the slim VGG-19, on the encoder's device."""
    device = encoder.mean.device
    if critic == "vgg16":
        first = load_vgg16(data, reflect=True)
    else:
        first = load_encoder(critic, cache_dir=DEFAULT_CACHE_DIR)
    return LossNetworks((_ready(first, device), encoder, _ready(load_slim_vgg19(data), device)))


def _draft_encoder(weights: Path | None) -> Encoder:
    if weights is None:
        return load_draft_encoder()
    encoder = draft_encoder()
    encoder.load_convolutions(load_file(weights))
    return encoder


def _ready(network: _Network, device: torch.device) -> _Network:
    return placed(network, device).eval().requires_grad_(False)


def _bank(
    paths: TrainingPaths,
    presets: list[PresetPicture],
    recipe: Recipe,
    encoder: Encoder,
    loss_networks: LossNetworks,
) -> StyleBank:
    photos = picture_paths(paths.data / "photos", "train")
    # Photographs that serve as styles are spread over the folder.
    photos = photos[:: max(1, len(photos) // max(1, recipe.photo_styles))][: recipe.photo_styles]
    return build_bank(
        load_pictures(picture_paths(paths.data / "styles", "train")),
        load_pictures(photos),
        encoder,
        loss_networks,
        variants=recipe.variants,
        seed=recipe.seed,
        presets=[preset.tensor(LONG_SIDE_PX) for preset in presets],
    )
