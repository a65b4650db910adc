"""The draft's network: the photo's features moved to the style's statistics, and made a picture.

The draft's encoder sees the recoloured photo at half size. At each of its layers the linear map
that gives the photo's features the style's means and covariances, moving them least, is worked out
anew for every picture (`transport`; Li et al. 2017 whiten and colour, Lu et al. 2019 transport). So
what tells one style from another is not learned but carried in, and styles can't come out alike.
What is learned is the decoder: from those features to strokes, coarse to fine, its channels scaled
and shifted by the style (Dumoulin et al. 2017, without their norms: here the scale is the message).

The picture begins as the recoloured photo out of focus; every contour has to come from the
features. Only the last two convolutions see the photo again, at half size, and say how much of its
finest detail stays. All enlarging is bilinear: pixel shuffles left a grid of their own in skies.
Beside the features the decoder sees grain, white noise: a convolution has nothing to make strokes
of in a plain sky (after Ulyanov et al. 2016, who fed noise to their texture networks).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.draft.style_code import Moments
from models.draft.transport import Target
from models.encoders import Encoder, vgg_modules

DRAFT_ENCODER_WIDTHS = ((16, 16), (48, 48), (96, 96, 96), (128, 128), (128,))
"""Channels of the draft's encoder, convolution by convolution, stage by stage."""

STRIDE = 16
"""Pictures must be a multiple of this on both sides."""
REACH = 208
"""No pixel of the result depends on a pixel further away than this, the photo's moments aside."""

CARRIED_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
"""The encoder's layers that are moved and handed to the decoder."""

_HALF, _QUARTER, _EIGHTH, _DEEP = 16, 32, 64, 96
"""Channels; processors like multiples of 16."""
_GRAIN_CHANNELS = 4
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
        self.enter_eighth = nn.Conv2d(eighth, _EIGHTH, 1)
        self.grain_eighth = nn.Conv2d(_GRAIN_CHANNELS, _EIGHTH, 1, bias=False)
        self.eighth = _Blocks(_EIGHTH, 2)
        self.to_quarter = nn.Conv2d(_EIGHTH, _QUARTER, 1)
        self.enter_quarter = nn.Conv2d(quarter, _QUARTER, 1)
        self.grain_quarter = nn.Conv2d(_GRAIN_CHANNELS, _QUARTER, 1, bias=False)
        self.quarter = _Blocks(_QUARTER, 1)
        self.to_half = _convolution(_QUARTER, _HALF)
        self.enter_half = nn.Conv2d(half, _HALF, 1)
        self.see = nn.Conv2d(3, _HALF, kernel_size=4, stride=2, padding=1)
        self.fine = _convolution(_HALF, _HALF)
        self.last = _convolution(_HALF, 4)
        # Before training a painting is the recoloured photo out of focus.
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]
        widths = [_DEEP] * 3 + [_EIGHTH] * 4 + [_QUARTER] * 2 + [_HALF] * 2
        self._parts = [width for width in widths for _ in range(2)]
        self.conditioning = sum(self._parts)
        """How many numbers a style's conditioning has."""

    def forward(
        self, photos: Tensor, carried: Mapping[str, Tensor], grain: Grain, conditioning: Tensor
    ) -> Tensor:
        """Paint `photos` with features `carried` to the style and `conditioning`.

        `photos` are (N, 3, H, W), RGB about 0-1, H and W multiples of `STRIDE`; `carried` as
        `DraftModel.maps` make them; `grain` is of the same size; `conditioning` is
        (N or 1, conditioning). Returns the paintings (N, 3, H, W), not clamped.
        """
        styled = _Styled(torch.split(conditioning, self._parts, 1))
        half, quarter, eighth, deep = (carried[name] for name in CARRIED_LAYERS)
        flow = self.deep(styled(self.enter_deep, deep).relu_(), styled)
        flow = _doubled(self.to_eighth(flow)).add_(self.enter_eighth(eighth))
        flow = self.eighth(flow.add_(self.grain_eighth(grain.eighth)), styled)
        flow = _doubled(self.to_quarter(flow)).add_(self.enter_quarter(quarter))
        flow = self.quarter(flow.add_(self.grain_quarter(grain.quarter)), styled)
        flow = _doubled(styled(self.to_half, flow).relu_()).add_(self.enter_half(half))
        flow = styled(self.fine, flow.add_(self.see(photos)).relu_()).relu_()
        change, gain = self.last(flow).split([3, 1], 1)
        small = F.avg_pool2d(photos, 2)
        # The finest detail is what a photo has beyond one of half the size; of both, `gain` stays.
        coarse = _out_of_focus(small) + change - gain * small
        painting = _doubled(torch.cat([coarse, gain], 1).contiguous())
        return torch.addcmul(painting[:, :3], painting[:, 3:], photos)


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
            maps = styled(second, styled(first, maps).relu_()).add_(maps)
        return maps.relu_()


def draft_encoder() -> Encoder:
    """The shape of the draft's encoder, not yet trained.

    The draft reads this encoder's features and no other's, so it keeps its own when the slim
    encoder becomes another one.
    """
    return Encoder(vgg_modules(DRAFT_ENCODER_WIDTHS))


def encoded(
    encoder: Encoder, images: Tensor, layers: Collection[str] = CARRIED_LAYERS
) -> dict[str, Tensor]:
    """The features of `images` (N, 3, H, W) by layer, as the encoder sees them: at half the size.

    Without `layers`, those that are to be carried.
    """
    features: dict[str, Tensor] = encoder(_packed(halved(images)), layers)
    return features


def halved(images: Tensor) -> Tensor:
    """`images` (N, 3, H, W) at half the size, an odd side's last half pixel left out."""
    return F.interpolate(images, scale_factor=0.5, mode="bilinear", antialias=True)


@torch.no_grad()
def target(style: Moments) -> Target:
    """Where a layer with the moments of a `style` is to be moved."""
    variances = style.covariance.diagonal(dim1=1, dim2=2)
    return Target.of(style, _NOISE * variances.mean(1).clamp_min(1e-4))


class Grain(NamedTuple):
    """White noise that lies under a picture (N, 3, H, W), the same on every device."""

    quarter: Tensor
    """(N, 4, H / 4, W / 4)"""
    eighth: Tensor
    """(N, 4, H / 8, W / 8)"""

    @classmethod
    def under(cls, images: Tensor, random: torch.Generator) -> Grain:
        """Under `images`; `random` is a generator of the CPU."""
        count, _, height, width = images.shape
        size = count, 5 * _GRAIN_CHANNELS, height // 8, width // 8
        noise = (_GRAIN * torch.randn(size, generator=random)).to(images.device)
        quarter = F.pixel_shuffle(noise[:, _GRAIN_CHANNELS:], 2)
        return cls(_packed(quarter), _packed(noise[:, :_GRAIN_CHANNELS]))

    def carried(self, drift: Tensor) -> Grain:
        """The same noise, gone with what it lay under: each place has what lay at its place plus
        `drift` (1, 2, H, W; x and y in pixels), the nearest one, over and over beyond the borders.
        """
        return Grain(_carried(self.quarter, drift), _carried(self.eighth, drift))

    def part(self, rows: slice, columns: slice) -> Grain:
        """Under the part of the picture with these `rows` and `columns`, multiples of 8."""
        return Grain(_part(self.quarter, rows, columns, 4), _part(self.eighth, rows, columns, 8))


def _carried(maps: Tensor, drift: Tensor) -> Tensor:
    height, width = maps.shape[-2:]
    cells = F.interpolate(drift, size=(height, width), mode="bilinear", align_corners=False)
    cells = (cells[0] / (drift.shape[-1] / width)).round().long()
    columns = torch.arange(width, device=maps.device) + cells[0]
    rows = torch.arange(height, device=maps.device)[:, None] + cells[1]
    return _packed(maps[:, :, rows.remainder(height), columns.remainder(width)])


def _part(maps: Tensor, rows: slice, columns: slice, shrinkage: int) -> Tensor:
    top, left = rows.start // shrinkage, columns.start // shrinkage
    return maps[..., top : rows.stop // shrinkage, left : columns.stop // shrinkage]


def _out_of_focus(photos: Tensor) -> Tensor:
    """The same with nothing in it that is finer than a quarter of the size."""
    return F.interpolate(F.avg_pool2d(photos, 4), scale_factor=4, mode="bilinear")


def _convolution(channels: int, out: int) -> nn.Conv2d:
    return nn.Conv2d(channels, out, kernel_size=3, padding=1)


def _doubled(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2, mode="bilinear")


def _packed(maps: Tensor) -> Tensor:
    return maps.contiguous(memory_format=torch.channels_last)
