"""Three figures of merit for a style transfer, the same for every method.

*Gram gap closed* and *neighbour gap closed* say how much of the way from the photo to the style
picture the result has gone: the first by which features occur together over the whole picture, the
second by how much each place of the result looks like some place of the style. *Content kept* says
how much of the photo's forms is left. A photo left alone scores 0, 0 and 1. They rank methods;
which is better is decided by looking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import torch
import torch.nn.functional as F
from torch import Tensor

from models.tensors.gram import style_loss
from models.tensors.noise import seeded

GRAM_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
NEIGHBOUR_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_2")
CONTENT_LAYER = "relu4_2"
LONG_SIDE_PX = 384
"""All three pictures are compared at this size."""

_MOST_PLACES = 4096
_BLOCK = 1024
"""Rows and columns of cosines that are worked out at once: 4 MB stay in a processor's cache."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How good one painting is, or the means over some of them."""

    gram_gap_closed: Mapping[str, float]
    """By layer, from -1 (the worst there is) to 1 (the style's own Gram matrix)."""
    neighbour_gap_closed: float
    """1 where every place is one of the style's; below 0 if further off than the photo."""
    content_kept: float
    """At most 1."""

    @property
    def mean_gram_gap_closed(self) -> float:
        """The mean over the layers."""
        return fmean(self.gram_gap_closed.values())

    def rounded(self) -> dict[str, float]:
        """The three figures by their names, for a log."""
        return {
            "gram_gap_closed": round(self.mean_gram_gap_closed, 4),
            "neighbour_gap_closed": round(self.neighbour_gap_closed, 4),
            "content_kept": round(self.content_kept, 4),
        }


def mean_figures(figures: list[Figures]) -> Figures:
    """The mean of each figure and layer over at least one painting."""
    return Figures(
        {
            layer: fmean(one.gram_gap_closed[layer] for one in figures)
            for layer in figures[0].gram_gap_closed
        },
        fmean(one.neighbour_gap_closed for one in figures),
        fmean(one.content_kept for one in figures),
    )


def gram_gap_closed(
    photo: Mapping[str, Tensor], style: Mapping[str, Tensor], result: Mapping[str, Tensor]
) -> dict[str, float]:
    """1 - min(2, d(result, style) / d(photo, style)) for each layer.

    d is the mean squared difference of two Gram matrices over the mean square of the style's. Each
    argument holds Gram matrices (1, C, C) by layer name, made by `models.tensors.gram.gram_matrix`.
    """
    return {
        layer: 1
        - min(
            2.0,
            float(style_loss(result[layer], target)) / float(style_loss(photo[layer], target)),
        )
        for layer, target in style.items()
    }


def neighbour_distance(features: Tensor, style: Tensor) -> float:
    """Mean over the places of a feature map of 1 - cosine to the nearest place of the style's.

    Both maps (1, C, H, W; H and W may differ) are taken about the mean of the style's places. The
    measure of Kolkin et al., "Neural Neighbor Style Transfer" (2022, arXiv 2203.13215). Each place
    is compared with all of the style's, but a map of more than 4,096 places is represented by 4,096
    of them, drawn by a fixed seed and the same for all maps of one size.
    """
    mean = style.mean((2, 3), keepdim=True)
    places = _directions(_sampled((features - mean).flatten(2)[0]))
    offered = _directions((style - mean).flatten(2)[0])
    nearest = [
        torch.stack([(some @ block.mT).amax(1) for block in torch.split(offered, _BLOCK)]).amax(0)
        for some in torch.split(places, _BLOCK)
    ]
    return 1 - float(torch.cat(nearest).mean())


def content_kept(photo: Tensor, result: Tensor) -> float:
    """Mean product of two instance-normalised feature maps (1, C, H, W) of one shape: at most 1."""
    return float((F.instance_norm(photo) * F.instance_norm(result)).mean())


def _sampled(columns: Tensor) -> Tensor:
    """At most `_MOST_PLACES` of the columns of (C, places)."""
    count = columns.shape[1]
    if count <= _MOST_PLACES:
        return columns
    # Every n-th place would always meet the same columns of some pictures.
    order = torch.randperm(count, generator=seeded(0))
    return columns[:, order[:_MOST_PLACES].to(columns.device)]


def _directions(columns: Tensor) -> Tensor:
    """(C, places) to (places, C), each of length 1."""
    return F.normalize(columns, dim=0).mT.contiguous()
