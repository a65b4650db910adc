"""Which layers' features are compared with the style's as one vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.neighbours.columns import COLUMN_LAYERS, GRID_PX, Features, grid_maps
from models.neighbours.style import FINE_LAYERS, StylePool
from models.tensors.tiles import layer_stride


@dataclass(frozen=True, slots=True)
class Group:
    """Layers whose features at one position are compared as one vector."""

    layers: tuple[str, ...]
    sizes: Sequence[float]
    """What each layer is divided by, where there are several."""
    keys: Tensor
    """(K, C) the style's vectors."""
    mean: Tensor
    """(C,) of the style."""

    @property
    def stride(self) -> int:
        """How many pixels lie between two of a picture's vectors."""
        return GRID_PX if len(self.layers) > 1 else layer_stride(self.layers[0])

    def maps(self, features: Features) -> list[Tensor]:
        """The vectors of a picture, a map (1, C, h, w) a layer."""
        if len(self.layers) == 1:
            return [features[self.layers[0]]]
        return [each / size for each, size in zip(grid_maps(features), self.sizes, strict=True)]

    def split(self, vectors: Tensor, maps: Sequence[Tensor]) -> list[Tensor]:
        """Vectors (h * w, C) as maps of the shape of `maps`."""
        shape = maps[0].shape[-2:]
        channels = [each.shape[1] for each in maps]
        # In the encoder's own layout: another one costs a fifth of every step.
        parts = torch.split(vectors.view(1, *shape, -1).permute(0, 3, 1, 2), channels, 1)
        return [part.contiguous(memory_format=torch.channels_last) for part in parts]


def column_group(pool: StylePool) -> Group:
    """Hypercolumns on the grid."""
    return Group(COLUMN_LAYERS, pool.sizes, pool.keys, pool.mean)


def fine_groups(pool: StylePool) -> list[Group]:
    """Each fine layer by itself."""
    return [Group((name,), (), pool.fine[name], pool.fine_means[name]) for name in FINE_LAYERS]
