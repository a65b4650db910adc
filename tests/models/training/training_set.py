"""A training set of the kit's layout, tiny and random: pictures and teachers of a few channels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from models.training.data import SPLIT_FILE

VGG16_WIDTHS = ((40, 40), (72, 72), (136, 136, 136), (200, 200, 200), (200, 200, 200))
SLIM_WIDTHS = ((16, 16), (32, 32), (64, 64, 64, 64), (128, 128, 128, 128), (128,))


def write_training_set(folder: Path, *, photos: int = 14, styles: int = 14) -> Path:
    """Write photos/, styles/ and teacher/ to `folder`; returns it."""
    random = np.random.default_rng(0)
    for kind, count, cells in (("photos", photos, 6), ("styles", styles, 24)):
        (folder / kind).mkdir(parents=True)
        for number in range(count):
            patches = random.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
            picture = Image.fromarray(patches).resize((96, 80), Image.Resampling.BICUBIC)
            picture.save(folder / kind / f"{number:04}.jpg")
    validation = {
        kind: [f"{n:04}" for n in range(0, count, 12)]
        for kind, count in (("photos", photos), ("styles", styles))
    }
    lines = [f"{kind} = {numbers}" for kind, numbers in validation.items()]
    (folder / SPLIT_FILE).write_text("\n".join(lines), encoding="utf-8")
    (folder / "teacher").mkdir()
    vgg16 = _convolutions("conv{}_{}", VGG16_WIDTHS)
    # Of the layout of the real one: kernels in half precision, biases in single.
    vgg16 = {k: v.half() if k.endswith(".weight") else v for k, v in vgg16.items()}
    save_file(vgg16, folder / "teacher" / "vgg16_conv1_1_to_conv5_3.safetensors")
    slim = _convolutions("conv{}{}", SLIM_WIDTHS) | {
        "conv0.weight": torch.eye(3)[:, :, None, None] * 2 + 0.1,
        "conv0.bias": torch.tensor([-1.0, -0.9, -0.8]),
        "conv11_aux.weight": torch.ones(64, 16, 1, 1),
        "conv11_aux.bias": torch.ones(64),
    }
    save_file(slim, folder / "teacher" / "slim_vgg19_relu5_1.safetensors")
    return folder


def _convolutions(pattern: str, widths: Sequence[Sequence[int]]) -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(1)
    tensors = {}
    inputs = 3
    for stage, stage_widths in enumerate(widths, 1):
        for number, outputs in enumerate(stage_widths, 1):
            name = pattern.format(stage, number)
            weights = torch.randn(outputs, inputs, 3, 3, generator=random)
            tensors[f"{name}.weight"] = weights * (2 / inputs / 9) ** 0.5
            tensors[f"{name}.bias"] = torch.rand(outputs, generator=random) + 0.3
            inputs = outputs
    return tensors
