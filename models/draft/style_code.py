"""From a style picture's statistics to the numbers that make the draft network paint like it.

A picture is described by first and second moments of the encoder's layers and of its colours, and
by nothing else: where things are in it plays no part. Channel means and deviations are what AdaIN
uses (Huang & Belongie 2017); a learned low-rank view of the covariances adds what a Gram matrix
knows (Gatys et al. 2016). A learned map turns them into one flat vector of scales and shifts for
every convolution of the decoder, as in Ghiasi et al. 2017 for its norms. Codes can be mixed: a
weighted mean is a code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
"""The encoder's layers whose statistics describe a style."""

COLOR_NUMBERS = 12
"""A code begins with the style's colours: 3 means, then the 3 x 3 mean products."""

_RANK = 16
_HIDDEN = 384
_BOTTLENECK = 192


@dataclass(frozen=True, slots=True)
class Moments:
    """Statistics of feature maps (or colours) over all their positions, a row for each picture."""

    mean: Tensor
    """(N, C)"""
    product: Tensor
    """(N, C, C): mean products of two channels, the Gram matrix over H * W."""

    @classmethod
    def of(cls, activations: Tensor) -> Moments:
        """Of maps (N, C, H, W)."""
        flat = activations.flatten(2).float()
        return cls(flat.mean(2), flat @ flat.transpose(1, 2) / flat.shape[2])

    @classmethod
    def cat(cls, parts: Sequence[Moments]) -> Moments:
        """The rows of all `parts`, one after the other."""
        return cls(
            torch.cat([part.mean for part in parts]), torch.cat([part.product for part in parts])
        )

    def averaged(self) -> Moments:
        """One row: that of a picture of which each row's is an equal part."""
        return Moments(self.mean.mean(0, keepdim=True), self.product.mean(0, keepdim=True))

    @property
    def covariance(self) -> Tensor:
        """(N, C, C)"""
        return self.product - self.mean[:, :, None] * self.mean[:, None, :]

    @property
    def deviation(self) -> Tensor:
        """(N, C): standard deviations."""
        return self.covariance.diagonal(dim1=1, dim2=2).clamp_min(0).sqrt()


LayerMoments = dict[str, Moments]
"""By the name of a layer."""


def layer_moments(features: Mapping[str, Tensor]) -> LayerMoments:
    """The moments of activations (N, C, H, W) by layer."""
    return {name: Moments.of(maps) for name, maps in features.items()}


class LayerSummary(nn.Module):
    """One layer's moments as a few hundred numbers of about unit size."""

    center: Tensor
    scale: Tensor
    upper: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(channels))
        self.register_buffer("scale", torch.ones(channels))
        self.view = nn.Parameter(torch.randn(_RANK, channels) / channels**0.5)
        self.register_buffer("upper", torch.triu_indices(_RANK, _RANK), persistent=False)
        self.length = 2 * channels + _RANK * (_RANK + 1) // 2

    def fit(self, moments: Moments) -> None:
        """Take the usual mean and deviation of each channel from many pictures' moments."""
        self.center.copy_(moments.mean.mean(0))
        self.scale.copy_(moments.deviation.mean(0).clamp_min(1e-3))

    def forward(self, moments: Moments) -> Tensor:
        """(N, length)"""
        mean = (moments.mean - self.center) / self.scale
        spread = (moments.deviation / self.scale + 0.05).log()
        covariance = moments.covariance / (self.scale[:, None] * self.scale)
        seen = self.view @ covariance @ self.view.T
        pairs = seen[:, self.upper[0], self.upper[1]]
        return torch.cat([mean, spread, pairs.sign() * pairs.abs().log1p()], 1)


class StyleCoder(nn.Module):
    """The learned map from an encoder's moments to the network's conditioning."""

    def __init__(self, channels: Mapping[str, int], conditioning: int) -> None:
        """`channels` of each of `STYLE_LAYERS`; `conditioning` is how many numbers come out."""
        super().__init__()
        summaries = {name: LayerSummary(channels[name]) for name in STYLE_LAYERS}
        self.summaries = nn.ModuleDict(summaries)
        length = sum(summary.length for summary in summaries.values())
        # The straight path carries AdaIN's linear relation, the bent one what is not linear.
        self.straight = nn.Linear(length, _BOTTLENECK)
        self.bent = nn.Sequential(
            nn.Linear(length, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, _BOTTLENECK)
        )
        self.out = nn.Linear(_BOTTLENECK, conditioning)
        nn.init.normal_(self.out.weight, std=0.3 / _BOTTLENECK**0.5)
        nn.init.zeros_(self.out.bias)

    def fit(self, moments: Mapping[str, Moments]) -> None:
        """Fit the summaries' scales to many pictures' moments, before training."""
        for name, summary in self.summaries.items():
            assert isinstance(summary, LayerSummary)  # noqa: S101 - for the type checker
            summary.fit(moments[name])

    def usual(self, name: str) -> tuple[Tensor, Tensor]:
        """The usual mean and deviation of a layer's channels, (C,) each."""
        summary = self.summaries[name]
        assert isinstance(summary, LayerSummary)  # noqa: S101 - for the type checker
        return summary.center, summary.scale

    def forward(self, moments: Mapping[str, Moments]) -> Tensor:
        """Moments by layer (N pictures each) to conditioning (N, conditioning)."""
        parts = [summary(moments[name]) for name, summary in self.summaries.items()]
        summary = torch.cat(parts, 1)
        conditioning: Tensor = self.out(self.straight(summary) + self.bent(summary))
        return conditioning


def color_code(colors: Moments) -> Tensor:
    """Colour moments of N pictures as the first numbers of their codes (N, COLOR_NUMBERS)."""
    return torch.cat([colors.mean, colors.product.flatten(1)], 1)


def colors_of_code(code: Tensor) -> Moments:
    """The colour moments that `color_code` put into codes (N, ...)."""
    return Moments(code[:, :3], code[:, 3:COLOR_NUMBERS].reshape(-1, 3, 3))
