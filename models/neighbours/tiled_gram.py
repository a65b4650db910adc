"""Gram matrices of pictures that are looked at in pieces, and the loss between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from models.neighbours.columns import Features
from models.tensors.gram import gram_sum, style_loss
from models.tensors.images import Size
from models.tensors.tiles import positions


class GramSums:
    """A whole picture's Gram matrices, added up tile by tile."""

    def __init__(self, size: Size, layers: Collection[str]) -> None:
        """`size` is the whole picture's."""
        self._positions = {layer: positions(size, layer) for layer in layers}
        self.grams: dict[str, Tensor] = {}
        """(1, C, C) by layer, of the tiles so far."""

    def add(self, features: Features) -> dict[str, Tensor]:
        """Count in one tile's activations (1, C, h, w) by layer; return its part of each matrix."""
        parts = {n: gram_sum(features[n]) / count for n, count in self._positions.items()}
        for layer, part in parts.items():
            before = self.grams.get(layer)
            self.grams[layer] = part.detach() if before is None else before + part.detach()
        return parts


class TiledGram:
    """Gram matrices are of the whole picture: no tile alone knows how far they are off.

    So the loss is made linear about the matrices that were measured last. Its slope there needs
    every tile once; while they add it up, they measure the matrices for the next step. A step so
    small that a painting takes several of them changes a Gram matrix little.
    """

    def __init__(self, targets: Mapping[str, Tensor], size: Size) -> None:
        """`targets` (1, C, C) by layer; `size` is the whole picture's."""
        self._targets = targets
        self._size = size
        self._sums = GramSums(size, targets)
        self._slopes: dict[str, Tensor] = {}

    def measure(self, features: Features) -> None:
        """Count in one tile's activations (1, C, h, w) by layer."""
        self._sums.add(features)

    def take(self, sums: GramSums) -> None:
        """Begin with what all tiles were measured to have."""
        self._sums = sums

    @property
    def measured(self) -> bool:
        """Whether tiles were counted since the last `begin`."""
        return bool(self._sums.grams)

    @torch.enable_grad()
    def begin(self) -> float:
        """Take what all tiles measured as where the next step is; return the loss there."""
        total = 0.0
        for layer, target in self._targets.items():
            gram = self._sums.grams[layer].requires_grad_()
            loss = style_loss(gram, target)
            (self._slopes[layer],) = torch.autograd.grad(loss, gram)
            total += float(loss.detach())
        self._sums = GramSums(self._size, self._targets)
        return total

    def __call__(self, features: Features) -> Tensor:
        """A number whose gradient is that of the loss, as far as one tile's activations go."""
        parts = self._sums.add(features)
        return torch.stack([(self._slopes[n] * part).sum() for n, part in parts.items()]).sum()
