"""From a photo to a painting: match, vote and refine at each scale, then one last pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from models.encoders import Encoder
from models.neighbours.recipe import Recipe
from models.neighbours.scale import PaintOptions, Scale, ScalePainter
from models.tensors.noise import seeded
from models.tensors.tiles import TILE_PIXELS


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
    random = seeded(options.seed)
    image: Tensor | None = None
    done = 0
    for scale in scales:
        painter = ScalePainter(
            encoder, content, scale, recipe, options, random, tile_pixels=tile_pixels
        )
        start = image = painter.start(image)
        for image, loss in painter.refine(start):
            done += scale.size[0] * scale.size[1]
            yield Step(image, loss, done / sum(work))
