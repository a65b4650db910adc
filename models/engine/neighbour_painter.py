"""Painting by neural neighbours as people's options say, style pictures remembered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from models.encoders import Encoder
from models.engine.schedule import scale_sizes, scale_steps
from models.engine.style_cache import StyleCache
from models.face_mask import FaceMask
from models.interface import Style, StyleOptions
from models.neighbours.paint import Step, paint
from models.neighbours.recipe import USUAL_RECIPE, mixed_recipe
from models.neighbours.scale import PaintOptions, Scale
from models.strength import loosened, style_share
from models.tensors.images import Size, image_size


class NeighbourPainter:
    """An encoder with a memory for what it saw in style pictures."""

    def __init__(self, encoder: Encoder, *, device: torch.device) -> None:
        self._encoder = encoder
        self._styles = StyleCache(encoder, samples=USUAL_RECIPE.samples, device=device)

    def steps_in_all(self, size: Size, options: StyleOptions) -> int:
        """How many optimiser steps a painting of `size` takes."""
        return sum(scale_steps(scale_sizes(size), options.quality, options.steps))

    def paint(
        self,
        content: Tensor,
        styles: Sequence[Style],
        options: StyleOptions,
        *,
        faces: FaceMask | None = None,
    ) -> Iterator[Step]:
        """Paint `content` (1, 3, H, W; RGB, 0-1), one `Step` after every optimiser step.

        Style pictures are measured before this returns. Raises PictureError for one that can't be
        used; iterating raises DivergedError, and needs grad mode on.
        """
        scales = self._scales(image_size(content), styles, options)
        mixed = mixed_recipe([style.recipe for style in styles], [style.weight for style in styles])
        paint_options = PaintOptions(
            share=style_share(options.strength),
            seed=options.seed,
            keep=None if faces is None else faces.mask,
        )
        recipe = loosened(mixed, options.strength)
        return paint(self._encoder, content, scales, recipe, paint_options)

    def _scales(self, size: Size, styles: Sequence[Style], options: StyleOptions) -> list[Scale]:
        """The scales with the style at each of them; the last one ends with the last pass."""
        sizes = scale_sizes(size)
        *steps, last_pass = scale_steps(sizes, options.quality, options.steps)
        long_sides_px = [max(size) for size in sizes]
        pools = self._styles.at_scales(
            styles, long_sides_px, brush=options.brush, seed=options.seed
        )
        return [
            Scale(each, count, pool, last_pass=last_pass if each is sizes[-1] else 0)
            for each, count, pool in zip(sizes, steps, pools, strict=True)
        ]
