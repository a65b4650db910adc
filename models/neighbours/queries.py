"""What the style's columns are searched by: the photo's columns, and the painting's so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from models.neighbours.columns import GRID_PX, Features, Measured, Statistics, grid_maps, rows
from models.tensors.noise import seeded
from models.tensors.tiles import Tile

_NOISE = 0.05
"""Length of what is added to each query, of columns about 3 long: where the photo is plain, all of
the style's columns are equally near, and it decides among them."""


class Queries:
    """A direction to search in for each position of each tile; the same each time they are read."""

    def __init__(
        self,
        photo: Measured,
        painting: Measured | None,
        *,
        alpha: float,
        keep: Tensor | None,
        seeds: Sequence[int],
    ) -> None:
        """`alpha` is the photo's share, beside a `painting`; 1 where `keep` is.

        `keep` (1, 1, *grid) of 0-1 or None; `seeds` are those of the tiles' noise.
        """
        self._photo, self._painting = photo, painting
        self._recipe_alpha, self._keep = alpha, keep
        self._seeds = seeds

    def __iter__(self) -> Iterator[Tensor]:
        """For each tile (h * w, C) of unit length."""
        return (self._of_tile(number) for number in range(len(self._seeds)))

    def _of_tile(self, number: int) -> Tensor:
        query = self._columns(self._photo, number)
        if self._painting is not None:
            alpha = self._alpha(self._photo.features.tiles[number])
            query.mul_(alpha).add_(self._columns(self._painting, number).mul_(1 - alpha))
        return F.normalize(query, dim=1, out=query)

    def _columns(self, image: Measured, number: int) -> Tensor:
        return _noisy_columns(image.features.of(number), image.statistics, self._seeds[number])

    def _alpha(self, tile: Tile) -> Tensor | float:
        if self._keep is None:
            return self._recipe_alpha
        keep = tile.under(self._keep, stride=GRID_PX).flatten()[:, None]
        return self._recipe_alpha + (1 - self._recipe_alpha) * keep


def _noisy_columns(features: Features, statistics: Statistics, seed: int) -> Tensor:
    columns = rows(statistics.scaled(grid_maps(features)))
    random = seeded(seed)
    noise = torch.randn(columns.shape, generator=random).to(columns.device)
    noisy = columns.add_(noise, alpha=_NOISE / columns.shape[1] ** 0.5)
    # In place, because columns are the largest that there is.
    directions = noisy.sub_(statistics.mean)
    return F.normalize(directions, dim=1, out=directions)
