"""From a photo to a painting: match, vote and refine at each scale, then one last pass."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.encoders import Encoder
from models.neighbours.columns import (
    COLUMN_LAYERS,
    GRID_PX,
    Features,
    Statistics,
    TiledFeatures,
    grid_maps,
    grid_size,
    rows,
    unit,
)
from models.neighbours.match import Search, share_out
from models.neighbours.objective import (
    Group,
    Objective,
    Photo,
    column_group,
    fine_groups,
)
from models.neighbours.pyramid import collapse, pyramid
from models.neighbours.recipe import Recipe
from models.neighbours.style import GRAM_LAYERS, StylePool
from models.neighbours.tiled_gram import GramSums
from models.neighbours.vote import vote
from models.tensors.images import Size, resize
from models.tensors.tiles import TILE_PIXELS, Tile, tiles_for

_QUERY_NOISE = 0.05
"""Length of what is added to each query, of columns about 3 long: where the photo is plain, all of
the style's columns are equally near, and it decides among them."""
_REST = 0.5
"""Gradients far below this, over the picture's pixels, hardly move it: Adam would make steps of one
size of them too, and plain areas would grow grain. Typical ones begin at 10, and double with every
level of the pyramid."""
_BETAS = 0.8, 0.999
"""Adam's: with ten steps a scale there is no time to swing out of an old direction."""
_RISE = 1.1
"""A loss that rises by more is that of a picture which was already there, and is being shaken off:
the style is one colour, or the photo itself. The rate is cut to a quarter each time."""
_LAST_PASS_RATE = 0.5
"""The last pass steps half as far: the picture is nearly there."""


@dataclass(frozen=True, slots=True)
class Scale:
    """One scale of the walk from coarse to fine."""

    size: Size
    steps: int
    style: StylePool
    last_pass: int = 0
    """Steps in which each layer follows neighbours of its own."""


@dataclass(frozen=True, slots=True)
class PaintOptions:
    """What applies to one picture beside the recipe."""

    share: float = 1.0
    """How far the targets lie from the photo's own vectors (0) towards the style's (1)."""
    seed: int = 0
    keep: Tensor | None = None
    """(1, 1, H, W) of 0-1: where the photo's forms are kept whole (a face); None is nowhere."""


@dataclass(frozen=True, slots=True)
class Step:
    """The state after one optimiser step."""

    image: Tensor
    """(1, 3, h, w) of 0-1, at the scale's size."""
    loss: float
    share_done: float
    """0-1, in pixels that the steps of all scales look at."""


def paint(
    encoder: Encoder,
    content: Tensor,
    scales: Sequence[Scale],
    recipe: Recipe,
    options: PaintOptions,
    *,
    tile_pixels: int = TILE_PIXELS,
) -> Iterator[Step]:
    """Walk through `scales`, one `Step` after every optimiser step.

    `content` is (1, 3, H, W) of the last scale's size. Raises DivergedError. Whoever iterates must
    do so with grad mode on.
    """
    work = [s.size[0] * s.size[1] * (s.steps + s.last_pass) for s in scales]
    random = torch.Generator().manual_seed(options.seed % 2**63)
    image: Tensor | None = None
    done = 0
    for scale in scales:
        canvas = _Canvas(encoder, content, scale, recipe, options, random, tile_pixels)
        start = image = canvas.start(image)
        for image, loss in canvas.refine(start):
            done += scale.size[0] * scale.size[1]
            yield Step(image, loss, done / sum(work))


class _Canvas:
    """The photo, the style and the painting at one scale."""

    def __init__(
        self,
        encoder: Encoder,
        content: Tensor,
        scale: Scale,
        recipe: Recipe,
        options: PaintOptions,
        random: torch.Generator,
        tile_pixels: int,
    ) -> None:
        self._encoder, self._scale, self._recipe, self._options = encoder, scale, recipe, options
        self._random = random
        self._tiles = tiles_for(scale.size, tile_pixels=tile_pixels)
        self._grid = grid_size(scale.size)
        self._content = resize(content, scale.size).clamp(0, 1)
        self._photo = TiledFeatures(encoder, self._content, COLUMN_LAYERS, self._tiles)
        self._statistics = Statistics.of(self._photo)
        self._keep = None
        if options.keep is not None:
            self._keep = F.interpolate(options.keep, self._grid, mode="area")
        self._chosen: list[Tensor] = []
        self._means: Features = {}

    @torch.no_grad()
    def start(self, image: Tensor | None) -> Tensor:
        """The voted picture, (1, 3, *size); `image` is the painting of the scale before."""
        now = None if image is None else resize(image, self._scale.size).clamp(0, 1)
        if not self._recipe.columns:
            start = self._content if now is None else now
            self._means = Statistics.of(self._features(start)).layer_means
            return self._stirred(start)
        own = None if now is None else self._features(now)
        statistics = None if own is None else Statistics.of(own)
        self._chosen = self._match(own, statistics)
        start = self._vote()
        if statistics is None:
            statistics = Statistics.of(self._features(start))
        self._means = statistics.layer_means
        return self._stirred(start)

    def refine(self, start: Tensor) -> Iterator[tuple[Tensor, float]]:
        """The steps of this scale from `start` on: the painting after each, and its loss."""
        groups = [column_group(self._scale.style)] if self._recipe.columns else []
        chosen = [[each] for each in self._chosen] if groups else [[] for _ in self._tiles]
        objective = self._objective(groups, chosen)
        # A picture that hardly has to change would be shaken by full steps.
        rate = self._recipe.learning_rate * min(1.0, 2 * self._options.share)
        image = start
        for image, loss in _descend(start, objective, self._scale.steps, rate):
            yield image, loss
        if not self._scale.last_pass:
            return
        if groups:
            groups = fine_groups(self._scale.style)
            objective = self._objective(groups, self._match_layers(image, groups))
        yield from _descend(image, objective, self._scale.last_pass, rate * _LAST_PASS_RATE)

    def _features(self, image: Tensor) -> TiledFeatures:
        return TiledFeatures(self._encoder, image, COLUMN_LAYERS, self._tiles)

    def _stirred(self, image: Tensor) -> Tensor:
        # Drawn on the processor: the same noise for a seed on every device.
        noise = torch.randn(image.shape, generator=self._random).to(image.device)
        return (image + self._recipe.noise * self._options.share * noise).clamp(0, 1)

    def _match(self, own: TiledFeatures | None, statistics: Statistics | None) -> list[Tensor]:
        """The number of the key that each position of each tile takes."""
        style, recipe = self._scale.style, self._recipe
        seeds = torch.randint(2**62, (len(self._tiles),), generator=self._random).tolist()

        def queries() -> Iterator[Tensor]:
            for number, seed in enumerate(seeds):
                yield self._query(number, seed, own, statistics)

        searches = [Search(k, completeness=recipe.completeness) for k in style.directions]
        for search in searches:
            search.survey(queries)
        found = [[search(query) for search in searches] for query in queries()]
        if len(searches) == 1:
            return [each[0][1] for each in found]
        distances = torch.stack(
            [torch.cat([tile[n][0] for tile in found]) for n in range(len(searches))]
        )
        painter = share_out(distances, distances.new_tensor(style.weights))
        chosen, begin = [], 0
        offsets = distances.new_tensor(style.offsets).long()
        for tile in found:
            keys = torch.stack([indices for _, indices in tile])
            who = painter[begin : begin + keys.shape[1]]
            chosen.append(offsets[who] + keys.gather(0, who[None])[0])
            begin += keys.shape[1]
        return chosen

    def _query(
        self,
        number: int,
        seed: int,
        own: TiledFeatures | None,
        statistics: Statistics | None,
    ) -> Tensor:
        """Where to search for each position of a tile: (h * w, C) of unit length."""
        query = self._columns(self._photo.of(number), self._statistics, seed)
        if own is not None and statistics is not None:
            alpha = self._alpha(self._tiles[number])
            query = alpha * query + (1 - alpha) * self._columns(own.of(number), statistics, seed)
        return F.normalize(query, dim=1)

    def _columns(self, features: Features, statistics: Statistics, seed: int) -> Tensor:
        columns = rows(statistics.scaled(grid_maps(features)))
        random = torch.Generator().manual_seed(seed)
        noise = torch.randn(columns.shape, generator=random).to(columns.device)
        stirred = columns.add_(noise, alpha=_QUERY_NOISE / columns.shape[1] ** 0.5)
        return unit(stirred, statistics.mean)

    def _alpha(self, tile: Tile) -> Tensor | float:
        if self._keep is None:
            return self._recipe.alpha
        keep = tile.under(self._keep, stride=GRID_PX).flatten()[:, None]
        return self._recipe.alpha + (1 - self._recipe.alpha) * keep

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

    @torch.no_grad()
    def _match_layers(self, image: Tensor, groups: Sequence[Group]) -> list[list[Tensor]]:
        """The key of each position of each tile for every fine layer."""
        features = self._features(image)
        means = Statistics.of(features).layer_means
        searches = [Search(unit(group.keys, group.mean)) for group in groups]
        chosen = []
        for found in features:
            tile = []
            for group, search in zip(groups, searches, strict=True):
                layer = group.layers[0]
                tile.append(search(unit(rows([found[layer]]), means[layer].flatten()))[1])
            chosen.append(tile)
        return chosen

    def _objective(self, groups: Sequence[Group], chosen: Sequence[Sequence[Tensor]]) -> Objective:
        return Objective(
            self._encoder,
            Photo(self._photo, self._statistics.layer_means, self._weight()),
            groups,
            chosen,
            self._recipe,
            means=self._means,
            grams=self._grams(),
            share=self._share(),
        )

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
        for features in self._photo:
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


def _descend(
    start: Tensor, objective: Objective, steps: int, rate: float
) -> Iterator[tuple[Tensor, float]]:
    """Adam on the picture's pyramid, one evaluation a step."""
    levels = [level.detach().clone().requires_grad_() for level in pyramid(start)]
    groups = [
        {"params": [level], "eps": _REST * 2**number / start[0, 0].numel()}
        for number, level in enumerate(levels)
    ]
    optimizer = torch.optim.Adam(groups, lr=rate, betas=_BETAS)
    before = math.inf
    for _ in range(steps):
        optimizer.zero_grad()
        loss = objective.backward(collapse(levels))
        if loss > _RISE * before:
            for group in optimizer.param_groups:
                group["lr"] /= 4
        before = loss
        optimizer.step()
        with torch.no_grad():
            yield collapse(levels).clamp(0, 1), loss
