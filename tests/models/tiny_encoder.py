"""A real encoder so small that tests can paint with it, and pictures to paint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.encoders import Encoder, vgg_modules

WIDTHS = ((4, 4), (6, 6), (8, 8, 8), (8, 8), (8,))


def tiny_encoder() -> Encoder:
    """VGG-shaped, a few channels wide, with fixed random weights."""
    generator = torch.Generator().manual_seed(0)
    encoder = Encoder(vgg_modules(WIDTHS))
    for parameter in encoder.parameters():
        fan_in = parameter[0].numel() if parameter.dim() > 1 else 100
        with torch.no_grad():
            parameter.normal_(0, (2 / fan_in) ** 0.5, generator=generator)
    return encoder.eval().requires_grad_(False)


def random_image(height: int, width: int, *, seed: int = 0) -> Tensor:
    """A tensor (1, 3, height, width) of 0-1."""
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def photo_file(path: Path, size: tuple[int, int] = (96, 72)) -> Path:
    """A smooth scene: sky over ground, a sun."""
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width] / max(size)
    sky = np.stack([0.3 + 0.4 * rows, 0.5 + 0.3 * columns, 0.9 - 0.3 * rows], -1)
    ground = np.stack([0.4 + 0.2 * columns, 0.5 - 0.3 * rows, 0.2 + 0 * rows], -1)
    scene = np.where((rows > 0.6 * height / max(size))[..., None], ground, sky)
    scene[np.hypot(rows - 0.2, columns - 0.3) < 0.1] = (1.0, 0.9, 0.3)
    Image.fromarray((scene.clip(0, 1) * 255).astype(np.uint8)).save(path)
    return path


def style_file(path: Path, *, seed: int = 1) -> Path:
    """Stripes in two strong colours."""
    colors = np.random.default_rng(seed).integers(0, 255, (2, 3))
    rows, columns = np.mgrid[0:80, 0:80]
    stripes = ((rows + seed * columns) // 6) % 2
    Image.fromarray(colors[stripes].astype(np.uint8)).save(path)
    return path
