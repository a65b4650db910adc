"""A picture as a Laplacian pyramid: steps on it move broad forms and fine strokes alike.

Burt & Adelson, "The Laplacian Pyramid as a Compact Image Code" (1983); optimised over by Kolkin et
al. (2022).
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from models.tensors.images import Size, image_size

LEVELS = 5
_SMALLEST_PX = 8


def pyramid(image: Tensor) -> list[Tensor]:
    """Levels of `image` (1, 3, H, W), finest first, the last one a small picture."""
    levels: list[Tensor] = []
    while len(levels) < LEVELS and min(image.shape[-2:]) >= _SMALLEST_PX:
        height, width = image_size(image)
        small = _resized(image, (height // 2, width // 2))
        levels.append(image - _resized(small, (height, width)))
        image = small
    return [*levels, image]


def picture(levels: list[Tensor]) -> Tensor:
    """The picture (1, 3, H, W) that the levels add up to."""
    image = levels[-1]
    for level in reversed(levels[:-1]):
        image = _resized(image, image_size(level)) + level
    return image


def _resized(image: Tensor, size: Size) -> Tensor:
    return F.interpolate(image, size, mode="bilinear", antialias=True)
