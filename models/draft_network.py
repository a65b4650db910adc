"""The draft's network: a photo in the style's colours plus what a conditioned network adds.

The work is done at a quarter and an eighth of the picture's size (space-to-depth at the entrance),
where instance norms take their scales and shifts from the style (Dumoulin et al. 2017) and a small
matrix, also the style's, mixes channels (after Li et al. 2019). The last two convolutions see the
photo again at half size; what they find is added to the full photo, and says how much of its
finest detail stays. All ways up are bilinear: pixel shuffles painted their own grid over skies.
Beside the photo the entrance sees grain, white noise: a convolution has nothing to make strokes of
in a plain sky (after Ulyanov et al. 2016, who fed noise to their texture networks).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDE = 8
"""Pictures must be a multiple of this on both sides."""
REACH = 112
"""No pixel of the result depends on a pixel further away than this, the norms' statistics aside."""

_QUARTER, _EIGHTH, _HALF = 64, 112, 16
_BLOCKS = 4
_MIX = 32
_EPSILON = 1e-4
_GRAIN = 0.25

NormStatistics = tuple[Tensor, Tensor]
"""Variance and mean of a norm's input, (N or 1, C, 1, 1) each."""


class DraftNetwork(nn.Module):
    """Pictures and conditioning to paintings; fully convolutional but for the norms' statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _convolution(64, _QUARTER)
        self.down = _convolution(_QUARTER, _EIGHTH, stride=2)
        self.blocks = nn.ModuleList(_convolution(_EIGHTH, _EIGHTH) for _ in range(2 * _BLOCKS))
        self.squeeze = nn.Conv2d(_EIGHTH, _MIX, 1)
        self.spread = nn.Conv2d(_MIX, _EIGHTH, 1)
        self.lateral = nn.Conv2d(_EIGHTH, _QUARTER, 1)
        self.middle = _convolution(_QUARTER, _QUARTER)
        self.up = _convolution(_QUARTER, _HALF)
        self.fine = _convolution(_HALF + 12, _HALF)
        self.last = _convolution(_HALF, 4)
        # Before training a painting is the recoloured photo.
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]
        widths = [_QUARTER, _EIGHTH, *[_EIGHTH] * (2 * _BLOCKS), _QUARTER, _HALF]
        self._parts = [_MIX * _MIX] + [width for width in widths for _ in range(2)]
        self.conditioning = sum(self._parts)
        """How many numbers a style's conditioning has."""

    def forward(
        self,
        pictures: Tensor,
        conditioning: Tensor,
        *,
        fixed: Sequence[NormStatistics] | None = None,
        joint: bool = False,
    ) -> tuple[Tensor, list[NormStatistics]]:
        """Paint `pictures` with `conditioning` (N or 1, conditioning).

        `pictures` are (N, 4, H, W): RGB about 0-1, then the grain, as `grained` makes them.

        `fixed` statistics replace the pictures' own in the norms, so that a tile is painted as a
        part of its whole; `joint` takes them over all N pictures together. Returns the paintings
        (not clamped) and the statistics used. H and W are multiples of `STRIDE`.
        """
        photos = pictures[:, :3]
        mix, *affine = torch.split(conditioning, self._parts, 1)
        norms = _Norms(affine, fixed, joint=joint)
        quarter = norms(self.stem(_packed(F.pixel_unshuffle(pictures, 4)))).relu_()
        eighth = norms(self.down(quarter)).relu_()
        for block in range(_BLOCKS):
            if block == _BLOCKS // 2:
                eighth = eighth + self._mixed(eighth, mix)
            bend = norms(self.blocks[2 * block](eighth)).relu_()
            eighth = eighth + norms(self.blocks[2 * block + 1](bend))
        wide = norms(self.middle(_doubled(self.lateral(eighth)) + quarter)).relu_()
        half = torch.cat([_doubled(self.up(wide)), F.pixel_unshuffle(photos, 2)], 1)
        half = norms.affine(self.fine(_packed(half))).relu_()
        change = _doubled(self.last(half))
        detail = photos - _doubled(F.avg_pool2d(photos, 2))
        return photos + change[:, :3] + change[:, 3:] * detail, norms.used

    def _mixed(self, eighth: Tensor, mix: Tensor) -> Tensor:
        squeezed = self.squeeze(eighth)
        mixed = mix.view(-1, _MIX, _MIX) @ squeezed.flatten(2)
        spread: Tensor = self.spread(_packed(mixed.view_as(squeezed)))
        return spread


def grained(pictures: Tensor, random: torch.Generator) -> Tensor:
    """`pictures` (N, 3, H, W) with a channel of grain: (N, 4, H, W).

    `random` is a generator of the CPU, so that every device sees the same grain.
    """
    count, _, height, width = pictures.shape
    grain = _GRAIN * torch.randn(count, 1, height, width, generator=random)
    return torch.cat([pictures, grain.to(pictures)], 1)


class _Norms:
    """The conditioned instance norms of one pass, called in their order."""

    def __init__(
        self, affine: Sequence[Tensor], fixed: Sequence[NormStatistics] | None, *, joint: bool
    ) -> None:
        self._affine = iter(affine)
        self._fixed = None if fixed is None else iter(fixed)
        self._axes = (0, 2, 3) if joint else (2, 3)
        self.used: list[NormStatistics] = []

    def __call__(self, activations: Tensor) -> Tensor:
        if self._fixed is None:
            variance, mean = torch.var_mean(activations, self._axes, correction=0, keepdim=True)
        else:
            variance, mean = next(self._fixed)
        self.used.append((variance, mean))
        scale, shift = self._scale_and_shift()
        # One fused pass over the map instead of the four of a textbook norm.
        scale = scale * (variance + _EPSILON).rsqrt()
        return torch.addcmul(shift - mean * scale, activations, scale)

    def affine(self, activations: Tensor) -> Tensor:
        """Scale and shift alone, without statistics."""
        scale, shift = self._scale_and_shift()
        return torch.addcmul(shift, activations, scale)

    def _scale_and_shift(self) -> tuple[Tensor, Tensor]:
        return 1 + next(self._affine)[:, :, None, None], next(self._affine)[:, :, None, None]


def _convolution(channels: int, out: int, *, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, out, kernel_size=3, stride=stride, padding=1)


def _doubled(activations: Tensor) -> Tensor:
    return F.interpolate(activations, scale_factor=2, mode="bilinear")


def _packed(activations: Tensor) -> Tensor:
    return activations.contiguous(memory_format=torch.channels_last)
