"""What is trained as one: the style coder and the network, and how a code passes between them.

A *code* is one flat vector that says all about a style: its colours (`color_code`), the network's
conditioning, and the moments of the layers that are carried. It is computed once, kept, mixed, and
tuned. A weighted mean of codes is the code of a picture made of those parts.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.color_transfer import recolored
from models.draft_network import (
    CARRIED_LAYERS,
    DraftNetwork,
    encoded,
    grained,
    halved,
    map_to_style,
)
from models.encoders import SLIM_WIDTHS, Encoder
from models.style_code import (
    COLOR_NUMBERS,
    STYLE_LAYERS,
    Moments,
    StyleCoder,
    color_code,
    colors_of_code,
)
from models.transport import AffineMap

_FAR = 8.0
"""Usual deviations. In a picture that is flat but for a spot, the spot would have all the style's
variance to itself."""


class DraftModel(nn.Module):
    """Statistics of a style to a code; photos and codes to paintings."""

    def __init__(self) -> None:
        super().__init__()
        widths = [stage[0] for stage in SLIM_WIDTHS]
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

    def moments_of_code(self, codes: Tensor) -> dict[str, Moments]:
        """The moments of the carried layers that `code` put into `codes` (N, code_length)."""
        moments, begin = {}, self.conditioned.stop
        for name in CARRIED_LAYERS:
            channels = self._channels[name]
            middle, end = begin + channels, begin + channels * (channels + 1)
            product = codes[:, middle:end].reshape(-1, channels, channels)
            moments[name] = Moments(codes[:, begin:middle], product)
            begin = end
        return moments

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
        last pass gives gradients. `encoder` is the slim one, frozen; `random` gives the grain.
        """
        moved = recolored(photos, Moments.of(photos), colors_of_code(codes))
        return self._coarse_to_fine(encoder, moved, codes, random, passes)

    def _coarse_to_fine(
        self, encoder: Encoder, moved: Tensor, codes: Tensor, random: torch.Generator, passes: int
    ) -> Tensor:
        if passes > 1:
            with torch.no_grad():
                small = halved(moved)
                coarse = self._coarse_to_fine(encoder, small, codes, random, passes - 1)
                moved = refined(coarse.clamp(0, 1), small, moved)
        features = encoded(encoder, moved)
        maps = self.maps({name: Moments.of(each) for name, each in features.items()}, codes)
        return self.painted(grained(moved, random), features, maps, codes)

    def maps(self, have: Mapping[str, Moments], codes: Tensor) -> dict[str, AffineMap]:
        """What moves features with the moments `have` to the style's, as the decoder wants them."""
        want = self.moments_of_code(codes)
        return {
            name: map_to_style(have[name], want[name]).then_scaled(*self.coder.usual(name))
            for name in CARRIED_LAYERS
        }

    def painted(
        self,
        pictures: Tensor,
        features: Mapping[str, Tensor],
        maps: Mapping[str, AffineMap],
        codes: Tensor,
    ) -> Tensor:
        """One pass over `pictures` (N, 4, H, W) that are recoloured and grained."""
        carried = {name: maps[name](features[name]).clamp_(-_FAR, _FAR) for name in CARRIED_LAYERS}
        painting: Tensor = self.network(pictures, carried, codes[:, self.conditioned])
        return painting


def refined(painting: Tensor, below: Tensor, above: Tensor) -> Tensor:
    """What the next pass begins with: a `painting` enlarged, with the finer detail of the photo.

    `below` is the photo as it was painted, `above` the larger one; (N, 3, H, W) each.
    """
    change = F.interpolate(painting - below, above.shape[-2:], mode="bilinear")
    return above + change
