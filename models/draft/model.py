"""What is trained as one: the style coder and the network, and how a code passes between them.

A *code* is one flat vector that says all about a style: its colours (`color_code`), the network's
conditioning, and the moments of the layers that are carried. It is computed once, kept, mixed, and
tuned. A weighted mean of codes is the code of a picture made of those parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.draft.coarse_to_fine import coarse_to_fine
from models.draft.color_transfer import recolored
from models.draft.network import (
    CARRIED_LAYERS,
    DRAFT_ENCODER_WIDTHS,
    DraftNetwork,
    Grain,
    encoded,
    target,
)
from models.draft.style_code import (
    COLOR_NUMBERS,
    STYLE_LAYERS,
    Moments,
    StyleCoder,
    color_code,
    colors_of_code,
    layer_moments,
)
from models.draft.transport import AffineMap, Target, transport
from models.encoders import Encoder

_FAR = 8.0
"""Usual deviations. In a picture that is flat but for a spot, the spot would have all the style's
variance to itself."""


class DraftStyle(NamedTuple):
    """What codes say, taken apart once for all passes over a photo."""

    colors: Moments
    layers: dict[str, Target]
    """Where the carried layers are moved to."""
    conditioning: Tensor
    """(N, conditioning)"""


class DraftModel(nn.Module):
    """Statistics of a style to a code; photos and codes to paintings."""

    def __init__(self) -> None:
        super().__init__()
        widths = [stage[0] for stage in DRAFT_ENCODER_WIDTHS]
        self._channels = dict(zip(STYLE_LAYERS, widths, strict=True))
        self.network = DraftNetwork(self._channels)
        self.coder = StyleCoder(self._channels, self.network.conditioning)

    @property
    def code_length(self) -> int:
        """How many numbers a code has."""
        widths = [self._channels[name] for name in CARRIED_LAYERS]
        return COLOR_NUMBERS + self.network.conditioning + sum(w * (w + 1) for w in widths)

    @property
    def conditioned(self) -> slice:
        """Where a code holds the conditioning; nothing else of it is learned."""
        return slice(COLOR_NUMBERS, COLOR_NUMBERS + self.network.conditioning)

    def code(self, colors: Moments, layers: Mapping[str, Moments]) -> Tensor:
        """The codes (N, code_length) of N styles by their colours' and layers' moments."""
        parts = [color_code(colors), self.coder(layers)]
        for name in CARRIED_LAYERS:
            parts += [layers[name].mean, layers[name].product.flatten(1)]
        return torch.cat(parts, 1)

    def shifted(self, codes: Tensor, offsets: Tensor) -> Tensor:
        """`codes` with `offsets` (N, conditioning) added to their conditioning."""
        before = self.conditioned.start, codes.shape[1] - self.conditioned.stop
        return codes + F.pad(offsets, before)

    def style(self, codes: Tensor) -> DraftStyle:
        """What `code` put into `codes` (N, code_length)."""
        layers, begin = {}, self.conditioned.stop
        for name in CARRIED_LAYERS:
            channels = self._channels[name]
            middle, end = begin + channels, begin + channels * (channels + 1)
            product = codes[:, middle:end].reshape(-1, channels, channels)
            layers[name] = target(Moments(codes[:, begin:middle], product))
            begin = end
        return DraftStyle(colors_of_code(codes), layers, codes[:, self.conditioned])

    def forward(
        self,
        encoder: Encoder,
        photos: Tensor,
        codes: Tensor,
        random: torch.Generator,
        *,
        passes: int = 1,
    ) -> Tensor:
        """Paint `photos` (N, 3, H, W; RGB 0-1), coarse to fine; not clamped to 0-1.

        Sides are multiples of 16 at the smallest size, which is halved `passes` - 1 times. Only the
        last pass gives gradients. `encoder` is the draft's own, frozen; `random` gives the grain.
        """
        style = self.style(codes)
        moved = recolored(photos, Moments.of(photos), style.colors)

        def one_pass(scale: Tensor) -> Tensor:
            features = encoded(encoder, scale)
            maps = self.maps(layer_moments(features), style)
            return self.painted(scale, features, maps, Grain.under(scale, random), style)

        return coarse_to_fine(moved, passes, one_pass)

    @torch.no_grad()
    def maps(self, have: Mapping[str, Moments], style: DraftStyle) -> dict[str, AffineMap]:
        """What moves features with the moments `have` to the style's, as the decoder wants them."""
        return {
            name: transport(have[name], style.layers[name]).then_scaled(*self.coder.usual(name))
            for name in CARRIED_LAYERS
        }

    def painted(
        self,
        photos: Tensor,
        features: Mapping[str, Tensor],
        maps: Mapping[str, AffineMap],
        grain: Grain,
        style: DraftStyle,
    ) -> Tensor:
        """One pass over `photos` (N, 3, H, W) that are recoloured."""
        carried = {name: maps[name](features[name]).clamp_(-_FAR, _FAR) for name in CARRIED_LAYERS}
        painting: Tensor = self.network(photos, carried, grain, style.conditioning)
        return painting
