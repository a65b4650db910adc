"""What a training of the draft needs beside its run: teacher, styles, validation pairs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from models.devices.placement import placed
from models.draft.model import DraftModel
from models.draft.network import draft_encoder
from models.draft.packaged import load_draft_encoder
from models.draft.style_code import LayerMoments, Moments
from models.encoders import Encoder
from models.training.data import load_pictures, picture_paths
from models.training.draft.loss_networks import LossNetworks
from models.training.draft.preset_pictures import PresetPicture, preset_pictures
from models.training.draft.recipe import Recipe
from models.training.draft.style_bank import LONG_SIDE_PX, StyleBank, Styles, build_bank
from models.training.draft.validation import Validation
from models.training.evaluation.judge import Judge, load_judge
from models.training.teachers import load_slim_vgg19
from models.weight_files import DEFAULT_CACHE_DIR

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


def load_context(paths: TrainingPaths, recipe: Recipe, *, device: torch.device) -> TrainingContext:
    """Load or make everything; the styles' statistics are kept in `out` for the next time."""
    teacher = _ready(load_slim_vgg19(paths.data), device)
    ours = _ready(_draft_encoder(paths.encoder), device)
    loss_networks = LossNetworks((ours, teacher))
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
    device = encoder.mean.device
    photos = picture_paths(paths.data / "photos", "train")
    # Photographs that serve as styles are spread over the folder.
    photos = photos[:: max(1, len(photos) // max(1, recipe.photo_styles))][: recipe.photo_styles]
    paintings = picture_paths(paths.data / "styles", "train")
    counts = len(paintings), len(presets)
    kept = paths.out / f"styles-{_fingerprint(loss_networks, recipe, presets)}.safetensors"
    if kept.exists():
        return StyleBank(_unpacked(load_file(kept)).to(device), *counts)
    bank = build_bank(
        load_pictures(paintings),
        load_pictures(photos),
        encoder,
        loss_networks,
        variants=recipe.variants,
        seed=recipe.seed,
        presets=[preset.tensor(LONG_SIDE_PX) for preset in presets],
    )
    save_file(_packed(bank.styles), kept)
    return bank


def _fingerprint(loss_networks: LossNetworks, recipe: Recipe, presets: list[PresetPicture]) -> str:
    """Changes with whatever the statistics depend on."""
    digest = hashlib.sha256()
    for encoder in loss_networks.encoders:
        for tensor in encoder.state_dict().values():
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
    for preset in presets:
        digest.update(preset.path.read_bytes() + repr(preset.brush).encode())
    digest.update(
        repr((loss_networks.views, recipe.variants, recipe.photo_styles, recipe.seed)).encode()
    )
    return digest.hexdigest()[:12]


_GROUPS = ("seen", "wanted")


def _packed(styles: Styles) -> dict[str, Tensor]:
    tensors = {"colors.mean": styles.colors.mean, "colors.product": styles.colors.product}
    for group in _GROUPS:
        for name, moments in getattr(styles, group).items():
            tensors[f"{group}.{name}.mean"] = moments.mean
            tensors[f"{group}.{name}.product"] = moments.product
    return {name: tensor.contiguous().cpu() for name, tensor in tensors.items()}


def _unpacked(tensors: dict[str, Tensor]) -> Styles:
    def moments(prefix: str) -> Moments:
        return Moments(tensors[f"{prefix}.mean"], tensors[f"{prefix}.product"])

    groups: dict[str, LayerMoments] = {group: {} for group in _GROUPS}
    for name in tensors:
        group, _, rest = name.partition(".")
        if group in groups and rest.endswith(".mean"):
            layer = rest.removesuffix(".mean")
            groups[group][layer] = moments(f"{group}.{layer}")
    return Styles(moments("colors"), groups["seen"], groups["wanted"])
