"""The frozen loss networks: how far a painting is from its style and its photo.

There are three. One, VGG16 or the slim encoder that it taught, sees every painting, as it is and at
half its size; of two others one sees it as it is, the other at a half and a quarter of it, and they
take turns. What fools one
network at one size (a decoder finds scratches that look like any style to it) doesn't fool another
at another size; and what is asked for at a quarter of the size are broad strokes, as in a painting
from coarse to fine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from models.devices.precision import half_is_wanted, half_precision
from models.draft.style_code import STYLE_LAYERS, LayerMoments, layer_moments
from models.encoders import MIN_SIDE_PX, Encoder
from models.tensors.images import image_size, scaled
from models.tensors.noise import seeded
from models.training.evaluation.figures import NEIGHBOUR_LAYERS

CONTENT_LAYERS = ("relu4_2", "relu3_3")
"""Of the first network. By the first layer is judged what is kept, as in `evaluation.figures`."""
SHRINKAGES: Final = (1, 2, 4)
"""A painting is looked at as it is, at half and at a quarter of its size."""
VIEW_WEIGHTS: Final = {1: 0.5, 2: 0.25, 4: 0.25}
"""Shared by the views of a size."""

_ALWAYS, _ONE, _OTHER = range(3)


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


WHOLE: Final = View(_ALWAYS, 1)
"""By this view content and neighbours are judged."""


@dataclass(frozen=True, slots=True)
class LossNetworks:
    """All three networks."""

    encoders: tuple[Encoder, Encoder, Encoder]
    """The one that sees every painting, and those that take turns."""

    @property
    def views(self) -> list[View]:
        """All that are ever taken."""
        turns = [View(critic, size) for critic in (_ONE, _OTHER) for size in SHRINKAGES]
        return [WHOLE, View(_ALWAYS, 2), *turns]

    def turn(self, number: int) -> list[View]:
        """The views of one step; the first one is `WHOLE`."""
        first, second = (_ONE, _OTHER)[:: -1 if number % 2 else 1]
        return [WHOLE, View(first, 1), View(_ALWAYS, 2), View(second, 2), View(second, 4)]

    def look(self, view: View, images: Tensor) -> dict[str, Tensor]:
        """Activations of `images` (N, 3, H, W; RGB 0-1) for styles; of `WHOLE`, for all losses."""
        layers = view.layers
        if view == WHOLE:
            layers += CONTENT_LAYERS + NEIGHBOUR_LAYERS
        long_side_px = max(image_size(images)) / view.shrinkage
        shrunk = scaled(images, long_side_px, min_side_px=MIN_SIDE_PX, mode="bilinear")
        packed = shrunk.contiguous(memory_format=torch.channels_last)
        with loss_precision(images.device):
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

    @torch.no_grad()
    def columns(self, images: Tensor, count: int, *, seed: int = 0) -> dict[str, Tensor]:
        """What places of `images` (N, 3, H, W) look like: `count` of each, by layer.

        (N, count, C), in half precision and in random order. Of a map with fewer places some come
        twice.
        """
        found = self.look(WHOLE, images)
        columns = {}
        for name in NEIGHBOUR_LAYERS:
            places = drawn_places(found[name], count, seed=seed)
            again = torch.arange(count, device=places.device) % places.shape[1]
            columns[name] = places[:, again].to(torch.bfloat16).contiguous()
        return columns


def loss_precision(device: torch.device) -> torch.autocast:
    """Losses in half precision are the same to a thousandth, and on a GPU it is far quicker."""
    asked = device.type == "cuda"
    return half_precision(device, enabled=half_is_wanted(device, asked=asked))


def drawn_places(maps: Tensor, most: int, *, seed: int) -> Tensor:
    """At most so many of the places of maps (N, C, H, W), in random order: (N, places, C)."""
    places = maps.flatten(2)
    order = torch.randperm(places.shape[2], generator=seeded(seed))[:most]
    return places[:, :, order.to(maps.device)].mT
