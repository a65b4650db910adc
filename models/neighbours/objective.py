"""The loss of one scale in three terms, and its gradient: the same for one tile or for many."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.encoders import Encoder
from models.neighbours.columns import (
    COLUMN_LAYERS,
    GRID_PX,
    Features,
    TiledFeatures,
    grid_maps,
)
from models.neighbours.recipe import Recipe
from models.neighbours.style import FINE_LAYERS, StylePool
from models.neighbours.tiled_gram import TiledGram
from models.tensors.gram import gram_matrix, style_loss
from models.tensors.images import Size, image_size
from models.tensors.tiles import Tile, layer_stride

STRUCTURE_LAYERS = ("relu2_2", "relu3_1", "relu3_3")

_TINY = 1e-12
_UNSURE = 1e-4
"""Share of the targets' mean square below which a direction is mostly rounding."""
_KEPT_TILES = 4
"""Of pictures with more tiles the targets are worked out anew at every step: memory stays flat."""


class DivergedError(Exception):
    """The loss or its gradient is no longer a number; the picture before is still good."""


@dataclass(frozen=True, slots=True)
class Group:
    """Layers whose features at one position are compared as one vector."""

    layers: tuple[str, ...]
    sizes: Sequence[float]
    """What each layer is divided by."""
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
        found = grid_maps(features) if len(self.layers) > 1 else [features[self.layers[0]]]
        return [each / size for each, size in zip(found, self.sizes, strict=True)]

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
    return [Group((name,), (1.0,), pool.fine[name], pool.fine_means[name]) for name in FINE_LAYERS]


class Target:
    """Where the vectors of one tile should go; only the sums that the loss needs."""

    def __init__(self, wanted: Sequence[Tensor], mean: Sequence[Tensor]) -> None:
        """`wanted` (1, C, h, w) and `mean` (1, C, 1, 1), a map a layer."""
        self.mean = mean
        self.move = [w - m for w, m in zip(wanted, mean, strict=True)]
        self.length = _dot(self.move, self.move).sqrt()
        self.offset = _along(self.move, mean)
        self.square = _dot(wanted, wanted)
        self.mean_square = float(sum(m.square().sum() for m in mean))


def _dot(one: Sequence[Tensor], other: Sequence[Tensor]) -> Tensor:
    """Products of vectors given as maps: (1, h, w)."""
    return torch.stack([(a * b).sum(1) for a, b in zip(one, other, strict=True)]).sum(0)


def _along(maps: Sequence[Tensor], vectors: Sequence[Tensor]) -> Tensor:
    """Products of maps (1, C, h, w) with one vector (1, C, 1, 1) each, summed: (1, h, w)."""
    products = [F.conv2d(each, v)[:, 0] for each, v in zip(maps, vectors, strict=True)]
    return torch.stack(products).sum(0)


def matched_loss(found: Sequence[Tensor], target: Target, energy: float) -> Tensor:
    """Sum over positions of 1 - cosine about the style's mean, and half the squared distance.

    The distance is over `energy`, the mean square of the whole picture's targets. Everything is
    worked out from three products a layer, so nothing the size of a column is made besides them.
    """
    along = _dot(found, target.move)
    middle = _along(found, target.mean)
    square = _dot(found, found)
    spread = (square - 2 * middle + target.mean_square).clamp_min(_TINY).sqrt()
    cosine = (along - target.offset) / (spread * target.length).clamp_min(_TINY)
    distance = square - 2 * (along + middle) + target.square
    # A target that is the style's mean itself lies in no direction from it.
    sure = target.length.square() / (target.length.square() + _UNSURE * energy)
    return ((1 - cosine) * sure).sum() + 0.5 * distance.sum() / energy


def structure_loss(found: Tensor, photo: Tensor, weight: Tensor) -> Tensor:
    """Sum over positions of `weight` (1, h, w) times 1 - cosine of features (1, C, h, w).

    Both are about their own picture's mean already: form without colour.
    """
    cosine = F.cosine_similarity(found, photo, dim=1)
    return ((1 - cosine) * weight).sum()


@dataclass(frozen=True, slots=True)
class Photo:
    """The photo as the objective sees it at one scale."""

    features: TiledFeatures
    means: Features
    """(1, C, 1, 1) mean activations by layer."""
    weight: Tensor
    """(1, 1, h, w) on the grid: how much the structure weighs at each position."""


class Objective:
    """The loss of one scale and its gradient."""

    def __init__(
        self,
        encoder: Encoder,
        photo: Photo,
        groups: Sequence[Group],
        chosen: Sequence[Sequence[Tensor]],
        recipe: Recipe,
        *,
        means: Features,
        grams: Mapping[str, Tensor] | None = None,
        share: Tensor | float = 1.0,
    ) -> None:
        """`chosen`: for each tile and group the numbers (h * w,) of the keys that were matched.

        `means` are the painting's own, measured at the scale's beginning; `grams` are the Gram
        matrices to reach, by layer; `share` moves the targets from the photo's own vectors (0) to
        the style's (1), everywhere or position by position (1, 1, h, w) on the grid.
        """
        self._encoder = encoder
        self._photo = photo
        self._groups = groups
        self._chosen = chosen
        self._recipe = recipe
        self._means = means
        self._grams = grams or {}
        self._share = share
        self._tiles = photo.features.tiles
        self._tiled_gram = None
        if self._grams and len(self._tiles) > 1:
            last = self._tiles[-1]
            size = last.rows.core_stop, last.columns.core_stop
            self._tiled_gram = TiledGram(self._grams, size)
        self._layers = {layer for group in groups for layer in group.layers}
        self._layers |= {*STRUCTURE_LAYERS, *self._grams}
        self._kept: dict[int, list[Target]] = {}
        self._count = [sum(len(each[n]) for each in chosen) for n in range(len(groups))]
        self._energy = [self._mean_square(number) for number in range(len(groups))]

    def _mean_square(self, number: int) -> float:
        squares = self._groups[number].keys.square().sum(1)
        total = sum(float(squares[each[number]].sum()) for each in self._chosen)
        return max(total / max(self._count[number], 1), 1e-9)

    def backward(self, image: Tensor) -> float:
        """Add the loss's gradient to what `image` (1, 3, h, w) was made of; return the loss.

        Raises DivergedError.
        """
        pixels = image.detach().requires_grad_()
        total = self._begin_grams(pixels)
        for number, tile in enumerate(self._tiles):
            features = tile.encode(self._encoder, pixels, self._layers)
            loss = self._tile_loss(number, tile, features)
            total += float(loss.detach())
            if self._tiled_gram is not None:
                loss = loss + self._recipe.gram * self._tiled_gram(features)
            loss.backward()  # type: ignore[no-untyped-call]
        gradient = pixels.grad
        if gradient is None or not (math.isfinite(total) and bool(gradient.isfinite().all())):
            raise DivergedError
        image.backward(gradient)  # type: ignore[no-untyped-call]
        return total

    def _begin_grams(self, pixels: Tensor) -> float:
        """The Gram term's loss, where tiles can't tell it by themselves."""
        gram = self._tiled_gram
        if gram is None:
            return 0.0
        if not gram.measured:
            with torch.no_grad():
                for tile in self._tiles:
                    gram.measure(tile.encode(self._encoder, pixels, self._grams))
        return self._recipe.gram * gram.begin()

    def _tile_loss(self, number: int, tile: Tile, features: Features) -> Tensor:
        photo = self._photo.features.of(number)
        terms = []
        if self._recipe.columns:
            terms.append(self._matched(number, tile, features, photo))
        terms.append(self._structure(features, photo, tile))
        for layer, gram in self._grams.items() if self._tiled_gram is None else ():
            terms.append(self._recipe.gram * style_loss(gram_matrix(features[layer]), gram))
        return torch.stack(terms).sum()

    def _matched(self, number: int, tile: Tile, features: Features, photo: Features) -> Tensor:
        targets = self._targets(number, tile, photo)
        terms = [
            matched_loss(group.maps(features), target, energy) / count
            for group, target, energy, count in zip(
                self._groups, targets, self._energy, self._count, strict=True
            )
        ]
        return self._recipe.columns * torch.stack(terms).sum() / len(terms)

    @torch.no_grad()
    def _targets(self, number: int, tile: Tile, photo: Features) -> list[Target]:
        if number in self._kept:
            return self._kept[number]
        targets = []
        for group, chosen in zip(self._groups, self._chosen[number], strict=True):
            own = group.maps(photo)
            wanted = group.split(group.keys[chosen], own)
            share = self._share
            if isinstance(share, Tensor):
                share = _part(share, tile, group.stride, image_size(own[0]))
            if isinstance(share, Tensor) or share < 1:
                wanted = [torch.lerp(o, w, share) for o, w in zip(own, wanted, strict=True)]
            mean = group.split(group.mean[None], [o[..., :1, :1] for o in own])
            targets.append(Target(wanted, mean))
        if len(self._tiles) <= _KEPT_TILES:
            self._kept[number] = targets
        return targets

    def _structure(self, features: Features, photo: Features, tile: Tile) -> Tensor:
        terms = []
        for layer in STRUCTURE_LAYERS:
            found = features[layer] - self._means[layer]
            weight = _part(self._photo.weight, tile, layer_stride(layer), image_size(found))[0]
            loss = structure_loss(found, photo[layer] - self._photo.means[layer], weight)
            terms.append(loss / self._positions(layer))
        return torch.stack(terms).sum() / len(terms)

    def _positions(self, layer: str) -> int:
        stride = layer_stride(layer)
        last = self._tiles[-1]
        return (last.rows.core_stop // stride) * (last.columns.core_stop // stride)


def _part(maps: Tensor, tile: Tile, stride: int, size: Size) -> Tensor:
    """Of maps (1, 1, h, w) on the grid what lies under a tile's core, as `size`.

    `stride` says how many pixels lie between two positions of that.
    """
    top, left = tile.rows.core_start // GRID_PX, tile.columns.core_start // GRID_PX
    factor = stride / GRID_PX
    height, width = math.ceil(size[0] * factor), math.ceil(size[1] * factor)
    part = maps[..., top : top + height, left : left + width]
    return F.interpolate(part, size, mode="nearest")
