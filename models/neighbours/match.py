"""Which of the style's columns each position takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

_CHUNK = 4096
_PRICE_ROUNDS = 60


class Search:
    """The nearest of some style columns, by angle."""

    def __init__(self, keys: Tensor, *, completeness: float = 0) -> None:
        """`keys` (K, C): directions of unit length."""
        self._keys = keys
        self._completeness = completeness
        self._reach: Tensor | None = None

    def survey(self, queries: Callable[[], Iterator[Tensor]]) -> None:
        """With completeness, look first how near each key has anything in the whole picture.

        Granot et al., "Drop the GAN" (2022): a key that nothing is near to counts as nearer, so
        that all of the style turns up. `queries` gives (N, C) pieces, as often as it is called.
        """
        if not self._completeness:
            return
        nearest = [self._distances(part).amin(0) for query in queries() for part in _chunks(query)]
        self._reach = torch.stack(nearest).amin(0)

    def __call__(self, query: Tensor) -> tuple[Tensor, Tensor]:
        """For each direction (N, C) its least distance and the key that has it, (N,) each."""
        found = [self._weighed(part).min(1) for part in _chunks(query)]
        return torch.cat([each.values for each in found]), torch.cat([e.indices for e in found])

    def _weighed(self, query: Tensor) -> Tensor:
        distances = self._distances(query)
        if self._reach is None:
            return distances
        return distances / (self._completeness + self._reach)

    def _distances(self, query: Tensor) -> Tensor:
        return 1 - query @ self._keys.T


def _chunks(query: Tensor) -> Sequence[Tensor]:
    return torch.split(query, _CHUNK)


def share_out(distances: Tensor, weights: Tensor) -> Tensor:
    """Which of n styles paints each position: (n, N) distances to (N,) numbers of styles.

    Every style gets its share of the positions (`weights` (n,), summing to 1), where it fits best:
    each has a price that rises while it has too many.
    """
    prices = torch.zeros_like(weights)
    step = float(distances.std()) if distances.numel() > 1 else 0.0
    for number in range(_PRICE_ROUNDS):
        chosen = (distances + prices[:, None]).argmin(0)
        have = torch.bincount(chosen, minlength=len(weights)) / chosen.numel()
        prices = prices + (have - weights) * step * 2 * 0.93**number
    return (distances + prices[:, None]).argmin(0)
