"""An image as a Laplacian pyramid: steps on it move broad forms and fine strokes alike.

Burt & Adelson, "The Laplacian Pyramid as a Compact Image Code" (1983); optimised over by Kolkin et
al. (2022).
"""

from __future__ import annotations

from torch import Tensor

from models.tensors.images import image_size, resize

LEVELS = 5
_SMALLEST_PX = 8


def pyramid(image: Tensor) -> list[Tensor]:
    """Levels of `image` (1, 3, H, W), finest first, the last one a small image."""
    levels: list[Tensor] = []
    while len(levels) < LEVELS and min(image.shape[-2:]) >= _SMALLEST_PX:
        height, width = image_size(image)
        small = resize(image, (height // 2, width // 2), mode="bilinear")
        levels.append(image - resize(small, (height, width), mode="bilinear"))
        image = small
    return [*levels, image]


def collapse(levels: list[Tensor]) -> Tensor:
    """The image (1, 3, H, W) that the levels add up to."""
    image = levels[-1]
    for level in reversed(levels[:-1]):
        image = resize(image, image_size(level), mode="bilinear") + level
    return image
