"""The frozen loss networks: how far a painting is from its style and its photo.

There are two, and each looks at three sizes: one at the painting itself, the other at a half and a
quarter of it, and they take turns. What fools one network at one size (a decoder finds scratches
that look like any style to it) doesn't fool another at another size; and what is asked for at a
quarter of the size are broad strokes, as in a painting from coarse to fine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from models.devices.precision import half_precision
from models.draft.style_code import STYLE_LAYERS, LayerMoments, layer_moments
from models.encoders import MIN_SIDE_PX, Encoder
from models.tensors.images import image_size, scaled

CONTENT_LAYERS = ("relu3_3", "relu4_1")
"""By the first one is judged what is kept: it agrees with the real VGG-19 to some hundredths."""
SHRINKAGES: Final = (1, 2, 4)
"""A painting is looked at as it is, at half and at a quarter of its size."""
VIEW_WEIGHTS: Final = {1: 0.5, 2: 0.25, 4: 0.25}


@dataclass(frozen=True, slots=True)
class View:
    """One network's look at one size."""

    critic: int
    shrinkage: int

    def key(self, layer: str) -> str:
        """What the moments of a layer are called."""
        return f"{self.critic}/{self.shrinkage}/{layer}"

    @property
    def layers(self) -> tuple[str, ...]:
        """Whose moments count; of a quarter of a crop the deepest has hardly a position left."""
        return STYLE_LAYERS[:-1] if self.shrinkage == SHRINKAGES[-1] else STYLE_LAYERS


@dataclass(frozen=True, slots=True)
class LossNetworks:
    """Both networks."""

    encoders: tuple[Encoder, Encoder]

    @property
    def views(self) -> list[View]:
        """All that are ever taken."""
        return [View(critic, shrinkage) for critic in range(2) for shrinkage in SHRINKAGES]

    def turn(self, number: int) -> list[View]:
        """The views of one step; the first one is of the painting as it is."""
        first, second = number % 2, 1 - number % 2
        return [View(first, 1), View(second, 2), View(second, 4)]

    def look(self, view: View, images: Tensor) -> dict[str, Tensor]:
        """Activations of `images` (N, 3, H, W; RGB 0-1) for styles and, as they are, content."""
        layers = view.layers + CONTENT_LAYERS * (view.shrinkage == 1)
        long_side_px = max(image_size(images)) / view.shrinkage
        shrunk = scaled(images, long_side_px, min_side_px=MIN_SIDE_PX, mode="bilinear")
        packed = shrunk.contiguous(memory_format=torch.channels_last)
        # Losses in half precision are the same to a thousandth.
        with half_precision(images.device):
            activations: dict[str, Tensor] = self.encoders[view.critic](packed, layers)
        return {name: maps.float() for name, maps in activations.items()}

    @torch.no_grad()
    def moments(self, images: Tensor) -> LayerMoments:
        """What paintings in the style of `images` (N, 3, H, W) should have, for all views."""
        moments: LayerMoments = {}
        for view in self.views:
            found = layer_moments(self.look(view, images))
            moments |= {view.key(name): found[name] for name in view.layers}
        return moments
