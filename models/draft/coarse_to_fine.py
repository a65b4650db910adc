"""From a thumbnail to the photo: each pass over what the one before painted at half the size.

Gatys et al. 2017 go from coarse to fine in the optimisation, Lin et al. 2021 with a network for
each size; ours is one network for all. So the first passes paint broad strokes and the last ones
fine ones; all passes but the last cost a third of it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from models.draft.network import halved
from models.tensors.images import Size, with_finer_detail
from models.tensors.scales import can_be_halved

_COARSEST_PX = 90
"""The first pass is over a thumbnail with a long side of this to twice as much."""

OnePass = Callable[[Tensor], Tensor]
"""From a recoloured photo (N, 3, H, W) to its painting of the same size, not clamped."""


def passes_for(size: Size) -> int:
    """How many passes a photo of `size` takes, the one over itself included."""
    if not can_be_halved(size, coarsest_px=_COARSEST_PX):
        return 1
    return 1 + passes_for((size[0] // 2, size[1] // 2))


def coarse_to_fine(photos: Tensor, passes: int, one_pass: OnePass) -> Tensor:
    """Paint recoloured `photos` (N, 3, H, W) in `passes`; not clamped.

    Each pass sees the painting of the pass before, enlarged, with the photos' next finer detail.
    Only the last one gives gradients.
    """
    if passes > 1:
        with torch.no_grad():
            below = halved(photos)
            painting = coarse_to_fine(below, passes - 1, one_pass).clamp(0, 1)
            # Bilinear, as the network was trained with.
            photos = with_finer_detail(painting, below, photos, mode="bilinear")
    return one_pass(photos)
