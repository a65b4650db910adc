"""A photo in another picture's colours: `transport` in the three dimensions of RGB."""

from __future__ import annotations

from torch import Tensor

from models.draft.style_code import Moments
from models.draft.transport import Target, transport

_NOISE = 4e-4
"""Added to both variances, so that a nearly grey photo's noise isn't blown up to colours."""


def recolored(images: Tensor, colors: Moments, wanted: Moments) -> Tensor:
    """`images` (N, 3, H, W) that have `colors`, moved to the `wanted` ones (N or 1 rows)."""
    there, shift = transport(colors, Target.of(wanted, _NOISE))
    # Planes, unlike feature maps: what follows unshuffles pixels.
    return (there @ images.flatten(2) + shift[:, :, None]).view_as(images)
