"""What is trained as one: the style coder and the network, and how a code passes between them.

A *code* is one flat vector that says all about a style (`color_code`, then the network's
conditioning); it is computed once, kept, mixed, and tuned.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.color_transfer import recolored
from models.draft_network import DraftNetwork, grained
from models.encoders import SLIM_WIDTHS
from models.style_code import (
    COLOR_NUMBERS,
    STYLE_LAYERS,
    Moments,
    StyleCoder,
    color_code,
    colors_of_code,
)


class DraftModel(nn.Module):
    """Statistics of a style to a code; photos and codes to paintings."""

    def __init__(self) -> None:
        super().__init__()
        self.network = DraftNetwork()
        widths = [stage[0] for stage in SLIM_WIDTHS]
        channels = dict(zip(STYLE_LAYERS, widths, strict=True))
        self.coder = StyleCoder(channels, self.network.conditioning)

    @property
    def code_length(self) -> int:
        """How many numbers a code has."""
        return COLOR_NUMBERS + self.network.conditioning

    def code(self, colors: Moments, layers: Mapping[str, Moments]) -> Tensor:
        """The codes (N, code_length) of N styles by their colours' and layers' moments."""
        return torch.cat([color_code(colors), self.coder(layers)], 1)

    def forward(self, photos: Tensor, codes: Tensor, random: torch.Generator) -> Tensor:
        """Paint `photos` (N, 3, H, W; RGB 0-1; sides multiples of 8); not clamped to 0-1.

        `random` gives the grain.
        """
        recolored_photos = recolored(photos, Moments.of(photos), colors_of_code(codes))
        painting: Tensor = self.network(
            grained(recolored_photos, random), codes[:, COLOR_NUMBERS:]
        )[0]
        return painting
