"""Tune the presets' codes: `python -m models.training.draft.preset_codes --data DIR`.

The network stays as it is; each preset's own code, started from its picture's statistics, learns
what the code's general map could not know. Writes `models/weights/preset_codes.safetensors`, filed
under the SHA-256 of the style pictures' files and their usual brush; whenever one of them is drawn
anew or gets another brush, run it again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from models.devices.placement import placed
from models.draft.feedforward import STYLE_SIDE_PX, FeedForward
from models.draft.model import DraftModel
from models.draft.packaged import (
    PRESET_CODES,
    code_key,
    load_draft_encoder,
    load_draft_model,
)
from models.encoders import Encoder
from models.files import file_sha256
from models.tensors.noise import seeded
from models.training.data import CropSampler, load_pictures, picture_paths
from models.training.draft.context import load_loss_networks
from models.training.draft.loss_networks import LossNetworks
from models.training.draft.losses import ContentWeight, draft_losses
from models.training.draft.preset_pictures import PRESETS, preset_pictures
from models.training.draft.style_bank import Styles, measure
from models.training.package import write_manifest
from models.weight_files import PACKAGED


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The numbers of the tuning."""

    steps: int = 60
    size_px: int = 192
    learning_rate: float = 0.02
    keep: float = 0.75
    seed: int = 0


def tune(
    model: DraftModel,
    codes: Tensor,
    styles: Sequence[Tensor],
    photos: CropSampler,
    encoder: Encoder,
    loss_networks: LossNetworks,
    recipe: Recipe,
) -> Tensor:
    """Codes (N, code_length) of N style pictures (1, 3, H, W), tuned on photos' crops.

    What they hold of statistics is exact already and stays.
    """
    measured = Styles.cat([measure(style, encoder, loss_networks) for style in styles])
    offsets = torch.zeros_like(codes[:, model.conditioned], requires_grad=True)
    optimiser = torch.optim.Adam([offsets], lr=recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(1, recipe.steps))
    weight = ContentWeight(recipe.keep)
    random = seeded(recipe.seed)
    for step in tqdm(range(recipe.steps), desc="preset codes"):
        batch = photos.batch(len(codes)).to(codes.device)
        paintings = model(encoder, batch, model.shifted(codes, offsets), random)
        losses = draft_losses(loss_networks, paintings, batch, measured, turn=step)
        optimiser.zero_grad()
        losses.total(weight.value).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        weight.follow(float(losses.kept))
    return model.shifted(codes, offsets.detach())


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with photos/ and teacher/")
    parser.add_argument("--presets", type=Path, default=PRESETS, help="their presets.toml")
    parser.add_argument("--steps", type=int, default=Recipe().steps)
    parser.add_argument("--device", default="cpu")
    asked = parser.parse_args()
    recipe = Recipe(steps=asked.steps)
    presets = preset_pictures(asked.presets)
    device = torch.device(asked.device)
    model = placed(load_draft_model(), device).requires_grad_(False)
    encoder = placed(load_draft_encoder(), device)
    styles = [preset.tensor(STYLE_SIDE_PX).to(device) for preset in presets]
    draft = FeedForward(model, encoder)
    # Clones, because what inference mode made can't be trained.
    codes = torch.cat([draft.measured_code(style).clone() for style in styles])
    crops = CropSampler(
        load_pictures(picture_paths(asked.data / "photos", "train")),
        size_px=recipe.size_px,
        seed=recipe.seed,
    )
    loss_networks = load_loss_networks(asked.data, encoder, "slim")
    tuned = tune(model, codes, styles, crops, encoder, loss_networks, recipe)
    tensors = {
        code_key(file_sha256(preset.path), preset.brush): code[None].half().contiguous()
        for preset, code in zip(presets, tuned, strict=True)
    }
    save_file(tensors, PACKAGED / PRESET_CODES)
    write_manifest()


if __name__ == "__main__":
    main()
