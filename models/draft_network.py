"""The draft's network: the photo's features moved to the style's statistics, and made a picture.

Our encoder sees the recoloured photo at half size. At each of its layers the linear map that gives
the photo's features the style's means and covariances, moving them least, is worked out anew for
every picture (`transport`; Li et al. 2017 whiten and colour, Lu et al. 2019 transport). So what
tells one style from another is not learned but carried in, and styles can't come out alike. What is
learned is the decoder: from those features to strokes, coarse to fine, its channels scaled and
shifted by the style (Dumoulin et al. 2017, without their norms: here the scale is the message).

The picture begins as the recoloured photo out of focus; every contour has to come from the
features. Only the last convolution sees the photo again, at half size, and says how much of its
finest detail stays. All ways up are bilinear: pixel shuffles painted their own grid over skies.
Beside the features the decoder sees grain, white noise: a convolution has nothing to make strokes
of in a plain sky (after Ulyanov et al. 2016, who fed noise to their texture networks).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.encoders import Encoder
from models.style_code import Moments
from models.transport import AffineMap, transport

STRIDE = 16
"""Pictures must be a multiple of this on both sides."""
REACH = 208
"""No pixel of the result depends on a pixel further away than this, the photo's moments aside."""

CARRIED_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
"""The encoder's layers that are moved and handed to the decoder."""

_HALF, _QUARTER, _EIGHTH, _DEEP = 24, 48, 96, 128
_GRAIN_CHANNELS = 8
_GRAIN = 0.25
_NOISE = 0.01
"""Of the layer's mean variance, added to both sides of a transport: no gain beyond tenfold."""


class DraftNetwork(nn.Module):
    """Pictures, their style's moments and conditioning to paintings."""

    def __init__(self, channels: Mapping[str, int]) -> None:
        """`channels` of each of `CARRIED_LAYERS`."""
        super().__init__()
        half, quarter, eighth, deep = (channels[name] for name in CARRIED_LAYERS)
        self.enter_deep = _convolution(deep, _DEEP)
        self.deep = _Blocks(_DEEP, 1)
        self.to_eighth = nn.Conv2d(_DEEP, _EIGHTH, 1)
        self.enter_eighth = nn.Conv2d(eighth + _GRAIN_CHANNELS, _EIGHTH, 1)
        self.eighth = _Blocks(_EIGHTH, 2)
        self.to_quarter = nn.Conv2d(_EIGHTH, _QUARTER, 1)
        self.enter_quarter = nn.Conv2d(quarter + _GRAIN_CHANNELS, _QUARTER, 1)
        self.quarter = _Blocks(_QUARTER, 1)
        self.to_half = _convolution(_QUARTER, _HALF)
        self.fine = _convolution(_HALF + half + 12, _HALF)
        self.last = _convolution(_HALF, 4)
        # Before training a painting is the recoloured photo out of focus.
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]
        widths = [_DEEP] * 3 + [_EIGHTH] * 4 + [_QUARTER] * 2 + [_HALF] * 2
        self._parts = [width for width in widths for _ in range(2)]
        self.conditioning = sum(self._parts)
        """How many numbers a style's conditioning has."""

    def forward(
        self, pictures: Tensor, carried: Mapping[str, Tensor], conditioning: Tensor
    ) -> Tensor:
        """Paint `pictures` with features `carried` to the style and `conditioning`.

        `pictures` are (N, 4, H, W): RGB about 0-1, then the grain, as `grained` makes them, H and W
        multiples of `STRIDE`; `carried` as `carry` returns them; `conditioning` is
        (N or 1, conditioning). Returns the paintings (N, 3, H, W), not clamped.
        """
        photos, grain = pictures[:, :3], pictures[:, 3:]
        styled = _Styled(torch.split(conditioning, self._parts, 1))
        half, quarter, eighth, deep = (carried[name] for name in CARRIED_LAYERS)
        flow = self.deep(styled(self.enter_deep, deep).relu_(), styled)
        flow = _doubled(self.to_eighth(flow)) + self.enter_eighth(_with_grain(eighth, grain, 8))
        flow = self.eighth(flow, styled)
        flow = _doubled(self.to_quarter(flow)) + self.enter_quarter(_with_grain(quarter, grain, 4))
        flow = self.quarter(flow, styled)
        flow = _doubled(styled(self.to_half, flow).relu_())
        seen = torch.cat([flow, half, _packed(F.pixel_unshuffle(photos, 2))], 1)
        change = self.last(styled(self.fine, seen).relu_())
        coarse = _doubled(_out_of_focus(photos) + change[:, :3])
        detail = photos - _doubled(F.avg_pool2d(photos, 2))
        return coarse + _doubled(change[:, 3:]) * detail


class _Styled:
    """The decoder's convolutions with the style's scales and shifts, handed out in their order."""

    def __init__(self, parts: Sequence[Tensor]) -> None:
        self._parts = iter(parts)

    def __call__(self, convolution: nn.Conv2d, maps: Tensor) -> Tensor:
        scale, shift = 1 + next(self._parts), next(self._parts)
        if len(scale) > 1:
            scale, shift = scale[:, :, None, None], shift[:, :, None, None]
            return torch.addcmul(shift, convolution(maps), scale)
        # For a single style it is a convolution with other weights: no map is gone over twice.
        weight = convolution.weight * scale[0, :, None, None, None]
        assert convolution.bias is not None  # noqa: S101 - for the type checker
        bias = torch.addcmul(shift[0], convolution.bias, scale[0])
        return F.conv2d(maps, weight, bias, padding=convolution.padding)


class _Blocks(nn.Module):
    """Residual blocks (He et al. 2016) of two convolutions each."""

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            _convolution(channels, channels) for _ in range(2 * blocks)
        )

    def forward(self, maps: Tensor, styled: _Styled) -> Tensor:
        convolutions = [each for each in self.convolutions if isinstance(each, nn.Conv2d)]
        for first, second in zip(convolutions[::2], convolutions[1::2], strict=True):
            maps = maps + styled(second, styled(first, maps).relu_())
        return maps.relu()


@torch.no_grad()
def encoded(encoder: Encoder, pictures: Tensor) -> dict[str, Tensor]:
    """The features of `pictures` (N, 3, H, W) that are to be carried: of half the size."""
    features: dict[str, Tensor] = encoder(_packed(halved(pictures)), CARRIED_LAYERS)
    return features


def halved(pictures: Tensor) -> Tensor:
    """`pictures` (N, 3, H, W) as the encoder sees photos and styles alike."""
    return F.interpolate(pictures, scale_factor=0.5, mode="bilinear", antialias=True)


@torch.no_grad()
def map_to_style(have: Moments, want: Moments) -> AffineMap:
    """The map from the photo's moments of a layer to the style's."""
    variances = want.covariance.diagonal(dim1=1, dim2=2)
    return transport(have, want, _NOISE * variances.mean(1).clamp_min(1e-4)[:, None, None])


def grained(pictures: Tensor, random: torch.Generator) -> Tensor:
    """`pictures` (N, 3, H, W) with a channel of grain: (N, 4, H, W).

    `random` is a generator of the CPU, so that every device sees the same grain.
    """
    count, _, height, width = pictures.shape
    grain = _GRAIN * torch.randn(count, 1, height, width, generator=random)
    return torch.cat([pictures, grain.to(pictures)], 1)


def _with_grain(maps: Tensor, grain: Tensor, factor: int) -> Tensor:
    """`maps` with some of the noise that lies under each of their pixels."""
    under = F.pixel_unshuffle(grain, factor)[:, :_GRAIN_CHANNELS]
    return torch.cat([maps, _packed(under)], 1)


def _out_of_focus(photos: Tensor) -> Tensor:
    """At half size, with nothing in it that is finer than an eighth."""
    return F.interpolate(F.avg_pool2d(photos, 8), scale_factor=4, mode="bilinear")


def _convolution(channels: int, out: int) -> nn.Conv2d:
    return nn.Conv2d(channels, out, kernel_size=3, padding=1)


def _doubled(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2, mode="bilinear")


def _packed(maps: Tensor) -> Tensor:
    return maps.contiguous(memory_format=torch.channels_last)
