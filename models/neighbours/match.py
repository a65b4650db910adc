"""Which of the style's columns each position takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from models.devices.precision import half_precision
from models.neighbours.style import StylePool
from models.tensors.noise import seeded

_CHUNK = 1024
"""Queries at once: their products with all keys stay in the processor's cache."""
_PROJECTED = 128
"""Channels that longer vectors are searched in: a seventh of a column's, for nearly the same."""
_PRICE_ROUNDS = 60


class Search:
    """The nearest of some style columns, by angle."""

    def __init__(self, keys: Tensor, *, completeness: float = 0, half: bool = False) -> None:
        """`keys` (K, C): directions of unit length.

        With `half`, products are in half precision: of two keys that are as near within a few
        thousandths either may win.
        """
        self._basis = _basis(keys) if keys.shape[1] > 2 * _PROJECTED else None
        self._keys = (keys if self._basis is None else keys @ self._basis).T.contiguous()
        self._completeness = completeness
        self._half = half
        self._nearness: Tensor | None = None

    def survey(self, queries: Iterable[Tensor]) -> None:
        """With completeness, look first how near each key has anything in the whole picture.

        Granot et al., "Drop the GAN" (2022): a key that nothing is near to counts as nearer, so
        that all of the style turns up. `queries` are pieces (N, C).
        """
        if not self._completeness:
            return
        best = [part.amax(0) for query in queries for part in self._cosines(query)]
        reach = 1 - torch.stack(best).amax(0)
        self._nearness = 1 / (self._completeness + reach.clamp_min(0))

    def __call__(self, query: Tensor) -> tuple[Tensor, Tensor]:
        """For each direction (N, C) its least distance and the key that has it, (N,) each."""
        found = [self._nearest(part) for part in self._cosines(query)]
        return torch.cat([least for least, _ in found]), torch.cat([key for _, key in found])

    def _nearest(self, cosines: Tensor) -> tuple[Tensor, Tensor]:
        if self._nearness is None:
            best, keys = cosines.max(1)
            return 1 - best, keys
        # In place, because they are many.
        best, keys = cosines.sub_(1).mul_(self._nearness).max(1)
        return -best, keys

    def _cosines(self, query: Tensor) -> Iterator[Tensor]:
        """Products with all keys, (n, K) each."""
        for part in torch.split(query, _CHUNK):
            with half_precision(query.device, enabled=self._half):
                cosines = (part if self._basis is None else part @ self._basis) @ self._keys
            yield cosines


def _basis(keys: Tensor) -> Tensor:
    """(C, 128) orthogonal directions that hold nearly all of `keys` (K, C).

    Halko, Martinsson & Tropp, "Finding Structure with Randomness" (2011), algorithm 4.4.
    """
    random = seeded(0)
    guess = torch.randn(keys.shape[1], _PROJECTED, generator=random).to(keys)
    for _ in range(2):
        guess = torch.linalg.qr(keys.T @ (keys @ guess)).Q
    return guess


def share_out(distances: Tensor, weights: Tensor) -> Tensor:
    """Which of n styles paints each position: (n, N) distances to (N,) numbers of styles.

    Every style gets its share of the positions (`weights` (n,), summing to 1), where it fits best:
    each has a price that rises while it has too many.
    """
    prices = torch.zeros_like(weights)
    # What tells styles apart, not what makes a position hard for all of them.
    step = float((distances - distances.mean(0)).square().mean().sqrt())
    for number in range(_PRICE_ROUNDS):
        chosen = (distances + prices[:, None]).argmin(0)
        have = torch.bincount(chosen, minlength=len(weights)) / chosen.numel()
        prices = prices + (have - weights) * step * 2 * 0.93**number
    return (distances + prices[:, None]).argmin(0)


def match(style: StylePool, queries: Iterable[Tensor], *, completeness: float) -> list[Tensor]:
    """The number of the style's key that each position takes, (N,) for each of the tiles.

    `queries` (N, C) of unit length, one for each tile, are gone through several times.
    """
    searches = [Search(keys, completeness=completeness) for keys in style.directions]
    for search in searches:
        search.survey(queries)
    found = [[search(query) for search in searches] for query in queries]
    if len(searches) == 1:
        return [tile[0][1] for tile in found]
    return _assigned(style, found)


def _assigned(style: StylePool, found: Sequence[Sequence[tuple[Tensor, Tensor]]]) -> list[Tensor]:
    """Of several styles' least distances and keys by tile: the keys of the one that paints."""
    distances = torch.stack(
        [torch.cat([tile[n][0] for tile in found]) for n in range(len(style.parts))]
    )
    painter = share_out(distances, distances.new_tensor(style.weights))
    offsets = distances.new_tensor(style.offsets).long()
    chosen, begin = [], 0
    for tile in found:
        keys = torch.stack([indices for _, indices in tile])
        who = painter[begin : begin + keys.shape[1]]
        chosen.append(offsets[who] + keys.gather(0, who[None])[0])
        begin += keys.shape[1]
    return chosen
