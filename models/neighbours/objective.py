"""The loss of one scale in three terms, and its gradient: the same for one tile or for many."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.encoders import Encoder
from models.neighbours.columns import GRID_PX, KEPT_TILES, Features, TiledFeatures
from models.neighbours.groups import Group
from models.neighbours.losses import Target, matched_loss, structure_loss
from models.neighbours.recipe import Recipe
from models.neighbours.tiled_gram import GramSums, TiledGram
from models.tensors.gram import gram_matrix, style_loss
from models.tensors.images import Size, image_size
from models.tensors.tiles import Tile, layer_stride, positions

STRUCTURE_LAYERS = ("relu2_2", "relu3_1", "relu3_3")


class DivergedError(Exception):
    """The loss or its gradient is no longer a number; the picture before is still good."""


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
        self._size = self._tiles[-1].rows.core_stop, self._tiles[-1].columns.core_stop
        self._tiled_gram = None
        if self._grams and len(self._tiles) > 1:
            self._tiled_gram = TiledGram(self._grams, self._size)
        self._layers = {layer for group in groups for layer in group.layers}
        self._layers |= {*STRUCTURE_LAYERS, *self._grams}
        self._count = [sum(len(each[n]) for each in chosen) for n in range(len(groups))]
        self._energy = [self._mean_square(number) for number in range(len(groups))]
        self._kept: list[_Targets] = []
        if len(self._tiles) <= KEPT_TILES:
            self._kept = [self._targets(number) for number in range(len(self._tiles))]

    def _mean_square(self, number: int) -> float:
        squares = self._groups[number].keys.square().sum(1)
        total = sum(float(squares[each[number]].sum()) for each in self._chosen)
        return max(total / max(self._count[number], 1), 1e-9)

    def begin_with(self, grams: GramSums) -> None:
        """Take the painting's Gram matrices as they were measured already."""
        if self._tiled_gram is not None:
            self._tiled_gram.take(grams)

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
        targets = self._kept[number] if self._kept else self._targets(number)
        terms = []
        if self._recipe.columns:
            terms.append(self._matched(features, targets.matched))
        terms.append(self._structure(features, targets.structure, tile))
        for layer, gram in self._grams.items() if self._tiled_gram is None else ():
            terms.append(self._recipe.gram * style_loss(gram_matrix(features[layer]), gram))
        return torch.stack(terms).sum()

    def _matched(self, features: Features, targets: Sequence[Target]) -> Tensor:
        terms = [
            matched_loss(group.maps(features), target, energy) / count
            for group, target, energy, count in zip(
                self._groups, targets, self._energy, self._count, strict=True
            )
        ]
        return self._recipe.columns * torch.stack(terms).sum() / len(terms)

    def _structure(self, features: Features, targets: Sequence[Target], tile: Tile) -> Tensor:
        terms = []
        for layer, target in zip(STRUCTURE_LAYERS, targets, strict=True):
            found = features[layer]
            weight = _part(self._photo.weight, tile, layer_stride(layer), image_size(found))[0]
            terms.append(structure_loss(found, target, weight) / positions(self._size, layer))
        return torch.stack(terms).sum() / len(terms)

    @torch.no_grad()
    def _targets(self, number: int) -> _Targets:
        tile, photo = self._tiles[number], self._photo.features.of(number)
        return _Targets(
            [
                self._matched_target(group, chosen, tile, photo)
                for group, chosen in zip(self._groups, self._chosen[number], strict=True)
            ],
            [self._structure_target(layer, photo) for layer in STRUCTURE_LAYERS],
        )

    def _matched_target(self, group: Group, chosen: Tensor, tile: Tile, photo: Features) -> Target:
        own = group.maps(photo)
        wanted = group.split(group.keys[chosen], own)
        share = self._share
        if isinstance(share, Tensor):
            share = _part(share, tile, group.stride, image_size(own[0]))
        if isinstance(share, Tensor) or share < 1:
            wanted = [torch.lerp(o, w, share) for o, w in zip(own, wanted, strict=True)]
        mean = group.split(group.mean[None], [o[..., :1, :1] for o in own])
        return Target([w - m for w, m in zip(wanted, mean, strict=True)], mean)

    def _structure_target(self, layer: str, photo: Features) -> Target:
        return Target([photo[layer] - self._photo.means[layer]], [self._means[layer]])


@dataclass(frozen=True, slots=True)
class _Targets:
    """Where one tile's features should go."""

    matched: Sequence[Target]
    """A group's each."""
    structure: Sequence[Target]
    """A structure layer's each."""


def _part(maps: Tensor, tile: Tile, stride: int, size: Size) -> Tensor:
    """Of maps (1, 1, h, w) on the grid what lies under a tile's core, as `size`.

    `stride` says how many pixels lie between two positions of that.
    """
    top, left = tile.rows.core_on(GRID_PX).start, tile.columns.core_on(GRID_PX).start
    factor = stride / GRID_PX
    height, width = math.ceil(size[0] * factor), math.ceil(size[1] * factor)
    part = maps[..., top : top + height, left : left + width]
    return F.interpolate(part, size, mode="nearest")
