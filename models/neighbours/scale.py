"""One scale of a painting: match, vote and refine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from models.devices.precision import half_is_quick
from models.encoders import Encoder
from models.neighbours.columns import (
    COLUMN_LAYERS,
    GRID_PX,
    Features,
    Measured,
    TiledFeatures,
    grid_size,
    rows,
    unit,
)
from models.neighbours.descent import descend
from models.neighbours.groups import Group, column_group, fine_groups
from models.neighbours.match import Search, match
from models.neighbours.objective import Objective, Photo
from models.neighbours.queries import Queries
from models.neighbours.recipe import Recipe
from models.neighbours.style import GRAM_LAYERS, StylePool
from models.neighbours.tiled_gram import GramSums
from models.neighbours.vote import vote
from models.tensors.images import Size, resize
from models.tensors.tiles import tiles_for

_LAST_PASS_RATE = 0.5
"""The last pass steps half as far: the painting is nearly there."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What one scale of the walk from coarse to fine is to do."""

    size: Size
    steps: int
    style: StylePool
    last_pass: int = 0
    """Steps in which each layer follows neighbours of its own."""


@dataclass(frozen=True, slots=True)
class PaintOptions:
    """What applies to one painting beside the recipe."""

    share: float = 1.0
    """How far the targets lie from the photo's own vectors (0) towards the style's (1)."""
    seed: int = 0
    keep: Tensor | None = None
    """(1, 1, H, W) of 0-1: where the photo's forms are kept whole (a face); None is nowhere."""


class ScalePainter:
    """The photo, the style and the painting at one scale."""

    def __init__(
        self,
        encoder: Encoder,
        content: Tensor,
        scale: Scale,
        recipe: Recipe,
        options: PaintOptions,
        random: torch.Generator,
        *,
        tile_pixels: int,
    ) -> None:
        """`content` (1, 3, H, W), RGB 0-1, of any scale; `random` is a generator of the CPU."""
        self._encoder, self._scale, self._recipe, self._options = encoder, scale, recipe, options
        self._random = random
        self._tiles = tiles_for(scale.size, tile_pixels=tile_pixels)
        self._grid = grid_size(scale.size)
        self._content = resize(content, scale.size).clamp(0, 1)
        self._photo = Measured.of(self._features(self._content))
        self._keep = None
        if options.keep is not None:
            self._keep = F.interpolate(options.keep, self._grid, mode="area")
        self._chosen: list[Tensor] = []
        self._means: Features = {}

    @torch.no_grad()
    def start(self, image: Tensor | None) -> Tensor:
        """The voted painting, (1, 3, *size); `image` is that of the scale before, if there was one.

        Without weight on the columns nothing is voted: `image` itself, or the photo.
        """
        now = None if image is None else resize(image, self._scale.size).clamp(0, 1)
        if not self._recipe.columns:
            start = self._content if now is None else now
            self._means = Measured.of(self._features(start)).statistics.layer_means
            return self._noisy(start)
        painting = None if now is None else Measured.of(self._features(now))
        self._chosen = self._match(painting)
        start = self._vote()
        if painting is None:
            painting = Measured.of(self._features(start))
        self._means = painting.statistics.layer_means
        return self._noisy(start)

    def refine(self, start: Tensor) -> Iterator[tuple[Tensor, float]]:
        """The steps of this scale from `start` on: the painting after each, and its loss."""
        groups = [column_group(self._scale.style)] if self._recipe.columns else []
        chosen = [[each] for each in self._chosen] if groups else [[] for _ in self._tiles]
        objective = self._objective(groups, chosen)
        self._photo.features.free()
        # Full steps would spoil a painting that hardly has to change.
        rate = self._recipe.learning_rate * min(1.0, 2 * self._options.share)
        image = start
        for image, loss in descend(start, objective, self._scale.steps, rate):
            yield image, loss
        if not self._scale.last_pass:
            return
        if groups:
            del objective  # its targets take as much memory as the next one's
            objective = self._last_objective(image)
        yield from descend(image, objective, self._scale.last_pass, rate * _LAST_PASS_RATE)

    def _features(self, image: Tensor) -> TiledFeatures:
        return TiledFeatures(self._encoder, image, COLUMN_LAYERS, self._tiles)

    def _noisy(self, image: Tensor) -> Tensor:
        # Drawn on the processor: the same noise for a seed on every device.
        noise = torch.randn(image.shape, generator=self._random).to(image.device)
        return (image + self._recipe.noise * self._options.share * noise).clamp(0, 1)

    def _match(self, painting: Measured | None) -> list[Tensor]:
        """The number of the key that each position of each tile takes."""
        seeds = torch.randint(2**62, (len(self._tiles),), generator=self._random).tolist()
        queries = Queries(
            self._photo, painting, alpha=self._recipe.alpha, keep=self._keep, seeds=seeds
        )
        return match(self._scale.style, queries, completeness=self._recipe.completeness)

    def _vote(self) -> Tensor:
        chosen = torch.empty(self._grid, dtype=torch.long, device=self._content.device)
        for tile, part in zip(self._tiles, self._chosen, strict=True):
            place = tile.under(chosen[None, None], stride=GRID_PX)[0, 0]
            place.copy_(part.view(place.shape))
        style = self._scale.style
        voted = vote(style.patches, chosen.flatten(), self._grid, self._scale.size)
        share = self._share()
        if isinstance(share, Tensor):
            share = resize(share, self._scale.size)
        return torch.lerp(self._content, voted, share)

    def _last_objective(self, image: Tensor) -> Objective:
        groups = fine_groups(self._scale.style)
        painting = Measured.of(self._features(image))
        grams = GramSums(self._scale.size, GRAM_LAYERS)
        chosen = self._match_layers(painting, groups, grams)
        painting.features.free()
        objective = self._objective(groups, chosen)
        objective.begin_with(grams)
        return objective

    @torch.no_grad()
    def _match_layers(
        self, painting: Measured, groups: Sequence[Group], grams: GramSums
    ) -> list[list[Tensor]]:
        """The key of each position of each tile for every fine layer.

        Several tiles are counted in `grams` as they come by: each may have to be encoded anew.
        """
        means = painting.statistics.layer_means
        # Only which key is nearest is asked: half precision will do where it is quick.
        half = half_is_quick(self._content.device)
        searches = [Search(unit(group.keys, group.mean), half=half) for group in groups]
        chosen = []
        for found in painting.features:
            tile = []
            for group, search in zip(groups, searches, strict=True):
                layer = group.layers[0]
                tile.append(search(unit(rows([found[layer]]), means[layer].flatten()))[1])
            chosen.append(tile)
            if self._recipe.gram and len(self._tiles) > 1:
                grams.add(found)
        return chosen

    def _objective(self, groups: Sequence[Group], chosen: Sequence[Sequence[Tensor]]) -> Objective:
        return Objective(
            self._encoder,
            Photo(self._photo.features, self._photo.statistics.layer_means, self._weight()),
            groups,
            chosen,
            self._recipe,
            means=self._means,
            grams=self._grams,
            share=self._share(),
        )

    @cached_property
    @torch.no_grad()
    def _grams(self) -> dict[str, Tensor]:
        """The Gram matrices to reach."""
        if not self._recipe.gram:
            return {}
        style = self._scale.style.grams
        if self._options.share == 1:
            return dict(style)
        # Squared, because Gram matrices are products: what is seen grows evenly.
        share = self._options.share**2
        photo = GramSums(self._scale.size, GRAM_LAYERS)
        for features in self._photo.features:
            photo.add(features)
        return {n: torch.lerp(gram, style[n], share) for n, gram in photo.grams.items()}

    def _share(self) -> Tensor | float:
        usual = self._options.share
        if self._keep is None:
            return usual
        return usual * (1 - (1 - self._recipe.kept_share) * self._keep)

    def _weight(self) -> Tensor:
        usual = self._recipe.structure
        if self._keep is None:
            return self._content.new_full((1, 1, *self._grid), usual)
        kept = max(usual, self._recipe.kept_structure)
        return usual + (kept - usual) * self._keep
