"""Painting by optimisation of the picture itself, coarse to fine.

Gatys, Ecker & Bethge, "Image Style Transfer Using Convolutional Neural Networks" (CVPR 2016), with
the scales of Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer" (CVPR 2017).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from models.encoders import Encoder
from models.images import Size, image_size, resize
from models.losses import content_loss, gram_matrix, gram_sum, style_loss, total_variation
from models.tiles import TILE_PIXELS, Tile, positions, tiles_for

_LEAP = 1.5
"""A loss so many times the best one is no step on the way down."""

Grams = Mapping[str, Tensor]
"""Gram matrices (1, C, C) by layer name."""


def _style_weights() -> Mapping[str, float]:
    return {"relu1_1": 2.0, "relu2_1": 2.0, "relu3_1": 4.0, "relu4_1": 4.0, "relu5_1": 2.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What the optimiser aims at and how it walks."""

    content_layer: str = "relu3_1"
    content_weight: float = 0.02
    style_weights: Mapping[str, float] = field(default_factory=_style_weights)
    smoothness_weight: float = 0.5
    noise: float = 0.02
    """Deviation of what is added to the start, so that plain areas too grow strokes."""
    history: int = 10
    """Steps that L-BFGS remembers; each costs two copies of the picture."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One scale of the walk from coarse to fine."""

    size: Size
    steps: int
    style: Grams
    """The target, from style pictures scaled to this stage."""


@dataclass(frozen=True, slots=True)
class Step:
    """The state after one optimiser step."""

    image: Tensor
    """(1, 3, h, w) of 0-1, at the stage's size."""
    loss: float
    share_done: float
    """0-1, in pixels that the steps of all stages look at."""


class DivergedError(Exception):
    """The loss or its gradient is no longer a number; the last `Step.image` is still good."""


def measure_grams(
    encoder: Encoder,
    image: Tensor,
    layers: Collection[str],
    *,
    tile_pixels: int = TILE_PIXELS,
) -> dict[str, Tensor]:
    """Gram matrices (1, C, C) of a picture (1, 3, H, W) of any size, in bounded memory."""
    size = image_size(image)
    sums: dict[str, Tensor] = {}
    with torch.no_grad():
        for tile in tiles_for(size, tile_pixels=tile_pixels):
            for layer, features in tile.encode(encoder, image, layers).items():
                part = gram_sum(features) / positions(size, layer)
                sums[layer] = sums[layer] + part if layer in sums else part
    return sums


def mix_grams(parts: Sequence[tuple[Grams, float]]) -> dict[str, Tensor]:
    """The weighted mean of several targets; the weights need not add up to 1."""
    total = sum(weight for _, weight in parts)
    mixed: dict[str, Tensor] = {}
    for layer in parts[0][0]:
        shares = [grams[layer] * (weight / total) for grams, weight in parts]
        mixed[layer] = torch.stack(shares).sum(0)
    return mixed


class Objective:
    """The loss of one stage and its gradient: exact, however many tiles a picture takes."""

    def __init__(
        self,
        encoder: Encoder,
        content: Tensor,
        style: Grams,
        recipe: Recipe,
        *,
        tile_pixels: int = TILE_PIXELS,
    ) -> None:
        """`content` (1, 3, h, w) has the stage's size."""
        self._encoder = encoder
        self._style = style
        self._recipe = recipe
        self._tile_pixels = tile_pixels
        self._layers = {recipe.content_layer, *style}
        self._tiles = tiles_for(image_size(content), tile_pixels=tile_pixels)
        with torch.no_grad():
            self._targets = [self._content_of(tile, content) for tile in self._tiles]
        self._energy = torch.stack([target.square().sum() for target in self._targets]).sum()

    def backward(self, image: Tensor) -> float:
        """Set `image.grad`; return the loss."""
        image.grad = None
        smoothness = self._recipe.smoothness_weight * total_variation(image)
        torch.autograd.backward(smoothness)
        perceptual = self._backward_whole if len(self._tiles) == 1 else self._backward_tiled
        return float(smoothness.detach() + perceptual(image))

    def _backward_whole(self, image: Tensor) -> Tensor:
        features = self._encoder(image, self._layers)
        grams = {layer: gram_matrix(features[layer]) for layer in self._style}
        loss = self._style_loss(grams) + self._content_loss(features, self._targets[0])
        torch.autograd.backward(loss)
        return loss.detach()

    def _backward_tiled(self, image: Tensor) -> Tensor:
        """Gram matrices are means over all positions: measure them, then let each tile add its
        part of the gradient through them.
        """
        size = image_size(image)
        grams = measure_grams(self._encoder, image, self._style, tile_pixels=self._tile_pixels)
        loss = self._style_loss({layer: gram.requires_grad_() for layer, gram in grams.items()})
        slopes = torch.autograd.grad(loss, list(grams.values()))
        total = loss.detach()
        for tile, target in zip(self._tiles, self._targets, strict=True):
            features = tile.encode(self._encoder, image, self._layers)
            content = self._content_loss(features, target)
            style = [
                (gram_sum(features[layer]) / positions(size, layer) * slope).sum()
                for layer, slope in zip(grams, slopes, strict=True)
            ]
            torch.autograd.backward([content, *style])
            total = total + content.detach()
        return total

    def _content_of(self, tile: Tile, content: Tensor) -> Tensor:
        layer = self._recipe.content_layer
        return tile.encode(self._encoder, content, [layer])[layer]

    def _content_loss(self, features: Mapping[str, Tensor], target: Tensor) -> Tensor:
        found = features[self._recipe.content_layer]
        return self._recipe.content_weight * content_loss(found, target, self._energy)

    def _style_loss(self, grams: Grams) -> Tensor:
        weights = self._recipe.style_weights
        terms = [weights[layer] * style_loss(grams[layer], self._style[layer]) for layer in grams]
        return torch.stack(terms).sum() / sum(weights.values())


def optimise(
    encoder: Encoder,
    content: Tensor,
    stages: Sequence[Stage],
    recipe: Recipe,
    *,
    initial: Tensor,
    seed: int = 0,
    tile_pixels: int = TILE_PIXELS,
) -> Iterator[Step]:
    """Walk through `stages`, one `Step` after every optimiser step.

    `content` and `initial` are (1, 3, H, W) of the last stage's size; `seed` decides the noise that
    the start is stirred with. Raises DivergedError.
    Whoever iterates must do so with grad mode on.
    """
    work = [stage.size[0] * stage.size[1] * stage.steps for stage in stages]
    image = _stirred(resize(initial, stages[0].size), recipe.noise, seed)
    for number, stage in enumerate(stages):
        image = refined(image, initial, stage.size)
        objective = Objective(
            encoder, resize(content, stage.size), stage.style, recipe, tile_pixels=tile_pixels
        )
        done, here = sum(work[:number]), work[number]
        descent = _descend(image, objective, recipe, stage.steps)
        for step, (image, loss) in enumerate(descent, 1):
            yield Step(image, loss, (done + here * step / stage.steps) / sum(work))


def _descend(
    start: Tensor, objective: Objective, recipe: Recipe, steps: int
) -> Iterator[tuple[Tensor, float]]:
    """L-BFGS on the pixels, one evaluation a step; yields the best picture so far and its loss.

    A line search would cost a second evaluation. Without one the loss goes down steadily but for a
    rare leap, which is taken back, and with it the memory that led there.
    """
    # Contiguous, whatever the pictures were before: L-BFGS looks at the gradient as one long row.
    image = start.clone(memory_format=torch.contiguous_format).requires_grad_()

    def evaluate() -> float:
        loss = objective.backward(image)
        if not (math.isfinite(loss) and image.grad is not None and image.grad.isfinite().all()):
            raise DivergedError
        return loss

    optimizer = _lbfgs(image, recipe)
    best, best_loss = start, math.inf
    for _ in range(steps):
        evaluated = image.detach().clone()
        loss = optimizer.step(evaluate)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            image.clamp_(0, 1)
            if loss < best_loss:
                best, best_loss = evaluated, loss
            elif loss > _LEAP * best_loss:
                image.copy_(best)
                optimizer = _lbfgs(image, recipe)
        yield best, best_loss


def _lbfgs(image: Tensor, recipe: Recipe) -> torch.optim.LBFGS:
    return torch.optim.LBFGS(
        [image], max_iter=1, history_size=recipe.history, tolerance_grad=0, tolerance_change=0
    )


def _stirred(image: Tensor, deviation: float, seed: int) -> Tensor:
    # Drawn on the processor: the same noise for a seed on every device.
    generator = torch.Generator().manual_seed(seed % 2**63)
    noise = torch.randn(image.shape, generator=generator).to(image.device)
    return (image + deviation * noise).clamp(0, 1)


def refined(image: Tensor, initial: Tensor, size: Size) -> Tensor:
    """A stage's picture at a larger `size`, with the detail of `initial` that it lacked."""
    if image_size(image) == size:
        return image
    start = resize(initial, size)
    detail = start - resize(resize(start, image_size(image)), size)
    return (resize(image, size) + detail).clamp(0, 1)
