"""Hypercolumns: all layers' features at one position of the picture, on a grid of 4 px."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.encoders import Encoder
from models.tensors.images import Size, image_size
from models.tensors.tiles import Tile, layer_stride

COLUMN_LAYERS = (
    "relu1_1",
    "relu1_2",
    "relu2_1",
    "relu2_2",
    "relu3_1",
    "relu3_2",
    "relu3_3",
    "relu4_1",
    "relu4_2",
)
GRID_PX = 4
"""How many pixels lie between two columns: what stage 3 of the encoder has."""

Features = Mapping[str, Tensor]
"""Activations (1, C, H, W) by layer name."""

_TINY = 1e-6


def grid_size(size: Size) -> Size:
    """Rows and columns of the grid over a picture of `size`."""
    return size[0] // GRID_PX, size[1] // GRID_PX


def grid_maps(features: Features) -> list[Tensor]:
    """The column layers (1, C, *grid) each: shallow ones averaged, deep ones interpolated.

    Factors are exactly 2 and 4, so that a piece of a picture gives a piece of the whole's maps.
    """
    grid = image_size(features["relu3_1"])
    return [_on_grid(features[layer], layer_stride(layer), grid) for layer in COLUMN_LAYERS]


def _on_grid(features: Tensor, stride: int, grid: Size) -> Tensor:
    if stride < GRID_PX:
        return F.avg_pool2d(features, GRID_PX // stride)
    if stride == GRID_PX:
        return features
    larger = F.interpolate(features, scale_factor=float(stride // GRID_PX), mode="bilinear")
    below, right = grid[0] - larger.shape[-2], grid[1] - larger.shape[-1]
    return F.pad(larger, (0, right, 0, below), mode="replicate") if below or right else larger


def rows(maps: Sequence[Tensor]) -> Tensor:
    """Maps (1, C, h, w) side by side as one column a position: (h * w, all channels)."""
    return torch.cat([each[0].flatten(1).T for each in maps], 1)


def unit(vectors: Tensor, mean: Tensor) -> Tensor:
    """The directions of `vectors` (N, C) as seen from `mean` (C,)."""
    return F.normalize(vectors - mean, dim=1)


KEPT_TILES = 4
"""What there is of a picture with more tiles is worked out anew each time: memory stays flat."""


class TiledFeatures:
    """A picture's activations tile by tile; those of up to `KEPT_TILES` are kept."""

    def __init__(
        self, encoder: Encoder, image: Tensor, layers: Collection[str], tiles: Sequence[Tile]
    ) -> None:
        """`image` (1, 3, H, W)."""
        self.tiles = tiles
        self._encoder, self._image, self._layers = encoder, image, layers
        self._kept: dict[int, Features] = {}
        self._keeps = len(tiles) <= KEPT_TILES

    @torch.no_grad()
    def of(self, number: int) -> Features:
        """The activations of the core of one tile, in single precision."""
        found = self._kept.get(number)
        if found is None:
            tile = self.tiles[number]
            # Half precision stays that while it is kept: half the memory, and nothing is lost.
            found = tile.encode(self._encoder, self._image, self._layers, single=False)
            if self._keeps:
                self._kept[number] = found
        return {layer: maps.float() for layer, maps in found.items()}

    def free(self) -> None:
        """Let go of what is kept of several tiles, and keep none from now on: an optimiser's steps
        need the memory more."""
        if len(self.tiles) > 1:
            self._keeps = False
            self._kept.clear()

    def __iter__(self) -> Iterator[Features]:
        return (self.of(number) for number in range(len(self.tiles)))


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a whole picture's columns are measured by."""

    sizes: Mapping[str, float]
    """Root mean square over positions of each column layer's length: so every layer weighs the
    same, whatever the encoder."""
    mean: Tensor
    """(C,) the mean column, each layer over its size."""
    layer_means: Features
    """(1, C, 1, 1) mean activations by layer."""

    @classmethod
    def of(cls, features: TiledFeatures) -> Statistics:
        """Measure all tiles; memory holds one of them at a time."""
        sums = StatisticsSums()
        for tile in features:
            sums.add(tile, grid_maps(tile))
        return sums.statistics()

    def by_channel(self, numbers: Sequence[float]) -> Tensor:
        """A number for each column layer as one (C,) for each channel of a column."""
        channels = [self.layer_means[layer].shape[1] for layer in COLUMN_LAYERS]
        each = self.mean.new_tensor(numbers)
        return each.repeat_interleave(torch.tensor(channels, device=each.device))

    def scaled(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """`grid_maps`, each layer over its size."""
        sizes = self.sizes.values()
        return [each / size for each, size in zip(maps, sizes, strict=True)]


@dataclass(frozen=True, slots=True)
class Measured:
    """An image's activations and statistics."""

    features: TiledFeatures
    statistics: Statistics

    @classmethod
    def of(cls, features: TiledFeatures) -> Measured:
        """With the statistics of all tiles."""
        return cls(features, Statistics.of(features))


class StatisticsSums:
    """Sums over the positions of a picture, added up tile by tile."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._sums: dict[str, Tensor] = {}
        self._squares: dict[str, float] = {}
        self._columns: list[Tensor] = []
        self._positions = 0

    def add(self, features: Features, maps: Sequence[Tensor]) -> None:
        """Count in one tile's activations, and its `grid_maps`."""
        for layer, found in features.items():
            first = layer not in self._sums
            total, square = found.sum((2, 3), keepdim=True), float(found.square().sum())
            self._sums[layer] = total if first else self._sums[layer] + total
            self._squares[layer] = square + (0 if first else self._squares[layer])
            self._counts[layer] = self._counts.get(layer, 0) + found.shape[-2] * found.shape[-1]
        sums = [each[0].sum((1, 2)) for each in maps]
        self._columns = (
            [a + b for a, b in zip(self._columns, sums, strict=True)] if self._columns else sums
        )
        self._positions += maps[0].shape[-2] * maps[0].shape[-1]

    def statistics(self) -> Statistics:
        """Of all tiles."""
        sizes = {
            layer: max((self._squares[layer] / self._counts[layer]) ** 0.5, _TINY)
            for layer in COLUMN_LAYERS
        }
        means = [
            total / self._positions / size
            for total, size in zip(self._columns, sizes.values(), strict=True)
        ]
        layer_means = {layer: total / self._counts[layer] for layer, total in self._sums.items()}
        return Statistics(sizes, torch.cat(means), layer_means)
