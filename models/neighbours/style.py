"""What a style picture offers at one scale: columns, patches, single layers' features, Grams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.encoders import Encoder
from models.neighbours.columns import (
    COLUMN_LAYERS,
    Statistics,
    StatisticsSums,
    TiledFeatures,
    grid_maps,
    grid_size,
    rows,
    unit,
)
from models.neighbours.tiled_gram import GramSums
from models.neighbours.vote import patches_at
from models.tensors.images import Size, image_size
from models.tensors.noise import seeded
from models.tensors.tiles import TILE_PIXELS, Tile, layer_size, layer_stride, tiles_for

GRAM_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
FINE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_2")
"""The last pass: each of them finds neighbours of its own at its own resolution."""
_FEWER = {"relu1_2": 1024, "relu2_2": 2048}
"""At most so many of the style's positions are offered to them: they have few channels, little to
tell apart, and most positions to search for."""

_TILE_PIXELS = 2 * TILE_PIXELS
"""Without a gradient pieces may be larger; several are looked at twice, and one only once."""


@dataclass(frozen=True, slots=True)
class StyleSamples:
    """One style picture at one scale, at a sample of its positions."""

    statistics: Statistics
    keys: Tensor
    """(K, C) columns, each layer over its size."""
    patches: Tensor
    """(K, 3 * 12 * 12) the pixels round the same positions."""
    fine: Mapping[str, Tensor]
    """(K', C) features at positions of each fine layer, by its name."""
    fine_means: Mapping[str, Tensor]
    """(C,) by layer: over all positions."""
    grams: Mapping[str, Tensor]
    """(1, C, C) by layer, over all positions."""

    @property
    def nbytes(self) -> int:
        """Memory that the sampled tensors take."""
        return sum(each.nbytes for each in (self.keys, self.patches, *self.fine.values()))


def sample_style(encoder: Encoder, image: Tensor, *, samples: int, seed: int) -> StyleSamples:
    """Measure `image` (1, 3, H, W) tile by tile, in bounded memory.

    `samples` is the most positions that are taken of the grid, and of each fine layer; `seed` says
    which. The same on every device.
    """
    size = image_size(image)
    random = seeded(seed)
    grid = grid_size(size)
    places = _sample(grid, samples, random)
    fine_places = {
        name: _sample(layer_size(size, name), min(samples, _FEWER.get(name, samples)), random)
        for name in FINE_LAYERS
    }
    columns = _Taken(places, grid, "relu3_1")
    fine = {name: _Taken(each, layer_size(size, name), name) for name, each in fine_places.items()}
    sums, grams = StatisticsSums(), GramSums(size, GRAM_LAYERS)
    tiles = tiles_for(size, tile_pixels=_TILE_PIXELS)
    for tile, found in zip(tiles, TiledFeatures(encoder, image, COLUMN_LAYERS, tiles), strict=True):
        maps = grid_maps(found)
        sums.add(found, maps)
        grams.add(found)
        columns.take(maps, tile)
        for name, taken in fine.items():
            taken.take([found[name]], tile)
    statistics = sums.statistics()
    return StyleSamples(
        statistics,
        columns.all() / statistics.by_channel(list(statistics.sizes.values())),
        patches_at(image, places.to(image.device)),
        {name: taken.all() for name, taken in fine.items()},
        {name: statistics.layer_means[name].flatten() for name in FINE_LAYERS},
        grams.grams,
    )


def _sample(size: Size, count: int, random: torch.Generator) -> Tensor:
    return torch.randperm(size[0] * size[1], generator=random)[:count]


class _Taken:
    """What a picture's maps have at some positions, taken tile by tile."""

    def __init__(self, places: Tensor, size: Size, layer: str) -> None:
        """`places` (K,) of a picture that has `size` of them, as `layer` does."""
        self._down, self._right = places // size[1], places % size[1]
        self._stride = layer_stride(layer)
        self._order: list[Tensor] = []
        self._rows: list[Tensor] = []

    def take(self, maps: Sequence[Tensor], tile: Tile) -> None:
        """Those that lie in the core of `tile`, which `maps` (1, C, h, w) are of."""
        top = tile.rows.core_on(self._stride).start
        left = tile.columns.core_on(self._stride).start
        height, width = maps[0].shape[-2:]
        down, right = self._down - top, self._right - left
        inside = (down >= 0) & (down < height) & (right >= 0) & (right < width)
        here = (down * width + right)[inside].to(maps[0].device)
        self._order.append(inside.nonzero()[:, 0].to(here.device))
        self._rows.append(torch.cat([rows([each])[here] for each in maps], 1))

    def all(self) -> Tensor:
        """(K, all channels), in the order of the places."""
        return torch.cat(self._rows)[torch.cat(self._order).argsort()]


@dataclass(frozen=True, slots=True)
class StylePool:
    """All styles of a mixture at one scale; a key's number says whose it is."""

    parts: Sequence[StyleSamples]
    weights: Sequence[float]
    """Shares, summing to 1."""
    sizes: Sequence[float]
    """By column layer: what the painting's columns are divided by."""
    mean: Tensor
    """(C,) column."""
    keys: Tensor
    """(K, C) columns of all parts over `sizes`."""
    patches: Tensor
    fine: Mapping[str, Tensor]
    fine_means: Mapping[str, Tensor]
    grams: Mapping[str, Tensor]

    @property
    def directions(self) -> list[Tensor]:
        """(K_i, C) of each part's keys, about its own mean."""
        return [unit(part.keys, part.statistics.mean) for part in self.parts]

    @property
    def offsets(self) -> list[int]:
        """The number of each part's first key."""
        lengths = [len(part.keys) for part in self.parts]
        return [sum(lengths[:number]) for number in range(len(lengths))]


def pool(parts: Sequence[StyleSamples], weights: Sequence[float]) -> StylePool:
    """One or more styles with positive weights, which need not add up to 1."""
    shares = [weight / sum(weights) for weight in weights]
    sizes = [
        sum(s * part.statistics.sizes[layer] for part, s in zip(parts, shares, strict=True))
        for layer in COLUMN_LAYERS
    ]
    factors = [_factors(part, sizes) for part in parts]
    means = [part.statistics.mean * f for part, f in zip(parts, factors, strict=True)]
    return StylePool(
        parts=parts,
        weights=shares,
        sizes=sizes,
        mean=_mixed(means, shares),
        keys=torch.cat([part.keys * f for part, f in zip(parts, factors, strict=True)]),
        patches=torch.cat([part.patches for part in parts]),
        # A style's part of the fine features is its share too.
        fine={
            name: torch.cat(
                [
                    part.fine[name][: max(1, round(len(part.fine[name]) * share / max(shares)))]
                    for part, share in zip(parts, shares, strict=True)
                ]
            )
            for name in FINE_LAYERS
        },
        fine_means={
            name: _mixed([part.fine_means[name] for part in parts], shares) for name in FINE_LAYERS
        },
        grams={name: _mixed([part.grams[name] for part in parts], shares) for name in GRAM_LAYERS},
    )


def _factors(part: StyleSamples, sizes: Sequence[float]) -> Tensor:
    """(C,) from columns over the part's own sizes to columns over `sizes`."""
    own = part.statistics.sizes.values()
    return part.statistics.by_channel([o / size for o, size in zip(own, sizes, strict=True)])


def _mixed(tensors: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    return torch.stack([t * share for t, share in zip(tensors, shares, strict=True)]).sum(0)
