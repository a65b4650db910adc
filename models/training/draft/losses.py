"""What a draft should be: the style's statistics and pieces, the photo's forms, no wild colours."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.draft.style_code import LayerMoments, Moments
from models.training.draft.loss_networks import (
    CONTENT_LAYERS,
    VIEW_WEIGHTS,
    WHOLE,
    LossNetworks,
    View,
    drawn_places,
    loss_precision,
)
from models.training.draft.style_bank import Styles
from models.training.evaluation.figures import NEIGHBOUR_LAYERS

_FLOOR = 0.1
"""Added to the photo's own distance from a style: a photo that has it already isn't worth more."""
_PLACES = 1024
"""So many places of each painting are compared with the style's."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Means over a batch; `total` is what is minimised."""

    style: Tensor
    """Squared distance of the Gram matrices, relative to the photo's own: log 2 for the photo."""
    moments: Tensor
    """The same of means and deviations, relative to the style's size."""
    neighbours: Tensor
    """1 minus the cosine to the nearest of the style's places, as the figure of that name."""
    content: Tensor
    """1 minus the correlation of the layers with the photo's: 0 for the photo."""
    kept: Tensor
    """That correlation for the first of `CONTENT_LAYERS`."""
    excess: Tensor
    """How far the values lie outside of 0-1."""

    def total(self, content_weight: float) -> Tensor:
        style = self.style + 0.5 * self.moments + self.neighbours
        return style + content_weight * self.content + 10 * self.excess


@dataclass(slots=True)
class ContentWeight:
    """The content loss's weight: grows while paintings keep less than `keep`, else falls."""

    keep: float
    """Correlation with the photo that paintings should have."""
    value: float = 0.1

    def follow(self, kept: float) -> None:
        """Adapt to what a batch of paintings kept."""
        self.value = min(max(self.value * math.exp(0.03 * (self.keep - kept)), 0.05), 20.0)


def draft_losses(
    loss_networks: LossNetworks,
    paintings: Tensor,
    photos: Tensor,
    styles: Styles,
    *,
    turn: int,
) -> Losses:
    """Compare `paintings` with `photos` (N, 3, H, W both) and with `styles`, N as well.

    `turn` says which network looks at which size.
    """
    views = loss_networks.turn(turn)
    with torch.no_grad():
        before = {view: loss_networks.look(view, photos) for view in views}
    after = {view: loss_networks.look(view, paintings.clamp(0, 1)) for view in views}
    style, moments = _style_losses(before, after, styles.wanted)
    kept = [correlation(after[WHOLE][name], before[WHOLE][name]) for name in CONTENT_LAYERS]
    return Losses(
        style=style,
        moments=moments,
        neighbours=neighbour_loss(after[WHOLE], styles.columns, seed=turn),
        content=1 - torch.stack(kept).mean(),
        kept=kept[0].detach(),
        excess=((paintings - 0.5).abs() - 0.5).relu().mean(),
    )


_Views = Mapping[View, Mapping[str, Tensor]]


def _style_losses(before: _Views, after: _Views, wanted: LayerMoments) -> tuple[Tensor, Tensor]:
    """`Losses.style` and `Losses.moments`."""
    sharing = Counter(view.shrinkage for view in after)
    style, moments = [], []
    for view, maps in after.items():
        gaps = [
            _gaps(Moments.of(maps[name]), Moments.of(before[view][name]), wanted[view.key(name)])
            for name in view.layers
        ]
        weight = VIEW_WEIGHTS[view.shrinkage] / sharing[view.shrinkage] / len(gaps)
        style.append(weight * torch.stack([gap for gap, _ in gaps]).sum(0).mean())
        moments.append(weight * torch.stack([gap for _, gap in gaps]).sum(0).mean())
    return torch.stack(style).sum(), torch.stack(moments).sum()


def neighbour_loss(
    maps: Mapping[str, Tensor], columns: Mapping[str, Tensor], *, seed: int
) -> Tensor:
    """How far places of the paintings are from the nearest of their styles': 0 to 2.

    `maps` (N, C, H, W) and `columns` (N, places, C) by layer; `seed` draws the paintings' places.
    Kolkin et al. 2022 ask the same of a painting (arXiv 2203.13215).
    """
    return torch.stack(
        [
            _nearest(drawn_places(maps[name], _PLACES, seed=seed), columns[name])
            for name in NEIGHBOUR_LAYERS
        ]
    ).mean()


def _nearest(places: Tensor, offered: Tensor) -> Tensor:
    mean = offered.float().mean(1, keepdim=True)
    theirs = F.normalize(offered.float() - mean, dim=2)
    mine = F.normalize(places - mean, dim=2)
    with loss_precision(places.device):
        cosines = mine @ theirs.mT
    return 1 - cosines.amax(2).float().mean()


def _gaps(have: Moments, had: Moments, want: Moments) -> tuple[Tensor, Tensor]:
    """Of the Gram matrices, relative to the photo's gap; and of means and deviations: (N,) each."""
    distance = _relative(have.product, want.product)
    # A few pairs are hopelessly far apart; without the logarithm the mean would be theirs.
    gram = (distance / (_relative(had.product, want.product) + _FLOOR)).log1p()
    size = want.mean.square().sum(1) + want.deviation.square().sum(1)
    difference = (have.mean - want.mean).square().sum(1)
    difference = difference + (_deviation(have) - want.deviation).square().sum(1)
    return gram, (difference / size).log1p()


def correlation(one: Tensor, other: Tensor) -> Tensor:
    """Mean product of instance-normalised maps (N, C, H, W): 1 for equal ones.

    Channels that are silent in `other` don't count.
    """
    reference = _normalised(other)
    return (_normalised(one) * reference).sum() / reference.square().sum()


def _normalised(maps: Tensor) -> Tensor:
    variance, mean = torch.var_mean(maps, (2, 3), correction=0, keepdim=True)
    return (maps - mean) * (variance + 1e-5).rsqrt()


def _relative(have: Tensor, want: Tensor) -> Tensor:
    return (have - want).square().sum((1, 2)) / want.square().sum((1, 2))


def _deviation(moments: Moments) -> Tensor:
    # A root's slope at zero is infinite; a channel that is silent everywhere has just that.
    variance = moments.covariance.diagonal(dim1=1, dim2=2)
    return variance.clamp_min(1e-6).sqrt()


def summary(losses: Losses) -> dict[str, float]:
    """The parts as plain numbers."""
    return {
        "style": float(losses.style.detach()),
        "moments": float(losses.moments.detach()),
        "neighbours": float(losses.neighbours.detach()),
        "content": float(losses.content.detach()),
        "kept": float(losses.kept),
        "excess": float(losses.excess.detach()),
    }
