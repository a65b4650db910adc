"""Whether a painted face is still that person's, and still painted.

The detector that found the face in the photo looks for it in the painting: how sure it is, and how
far eyes, nose and mouth have moved, say whether a person would find it. Style and content, worked
out for the face and for everything else apart, say whether it is painted like the rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
import torch.nn.functional as F
from torch import Tensor

from models.encoders import Encoder
from models.faces import Face
from models.tensors.gram import gram_matrix
from models.training.evaluation.figures import CONTENT_LAYER, GRAM_LAYERS, gram_gap_closed

_SAME_PLACE = 0.5
"""Widths of the face by which its middle may have moved."""


@dataclass(frozen=True, slots=True)
class FoundAgain:
    """A face of the photo in the painting."""

    score: float
    """The detector's, 0 where it finds none."""
    moved: float
    """Mean distance of the landmarks to the photo's over the face's width; infinite if none."""
    moved_by_eyes: float
    """The same over the distance of the eyes."""


@dataclass(frozen=True, slots=True)
class RegionFigures:
    """Style and content of one region; see `figures`."""

    gram_gap_closed: float
    content_kept: float


def find_again(face: Face, painted: Sequence[Face]) -> FoundAgain:
    """Look for a `face` of the photo among those found in its painting."""
    near = [
        other
        for other in painted
        if math.dist(face.centre, other.centre) < _SAME_PLACE * face.width
    ]
    if not near:
        return FoundAgain(0.0, math.inf, math.inf)
    best = max(near, key=lambda other: other.score)
    moved = fmean(map(math.dist, face.landmarks, best.landmarks))
    eyes = math.dist(face.landmarks[0], face.landmarks[1])
    return FoundAgain(best.score, moved / face.width, moved / max(eyes, 1e-6))


@torch.no_grad()
def judged_features(encoder: Encoder, image: Tensor) -> dict[str, Tensor]:
    """What `region_figures` compares of an image (1, 3, H, W), RGB 0-1."""
    features: dict[str, Tensor] = encoder(image, {*GRAM_LAYERS, CONTENT_LAYER})
    return features


def region_figures(
    photo: Mapping[str, Tensor],
    style: Mapping[str, Tensor],
    painting: Mapping[str, Tensor],
    mask: Tensor,
) -> RegionFigures:
    """The figures of a painting where `mask` (1, 1, H, W) of 0-1 is 1.

    Pictures are given by their `judged_features`; photo, painting and mask are of one size.
    """
    styles = {layer: gram_matrix(style[layer]) for layer in GRAM_LAYERS}
    gaps = gram_gap_closed(_grams(photo, mask), styles, _grams(painting, mask))
    found = [F.instance_norm(each[CONTENT_LAYER]) for each in (photo, painting)]
    weight = _resized(mask, found[0])
    kept = (found[0] * found[1]).mean(1, keepdim=True) * weight
    return RegionFigures(fmean(gaps.values()), float(kept.sum() / weight.sum()))


def _grams(features: Mapping[str, Tensor], mask: Tensor) -> dict[str, Tensor]:
    """Gram matrices over the mask alone."""
    grams = {}
    for layer in GRAM_LAYERS:
        weight = _resized(mask, features[layer])
        grams[layer] = gram_matrix(features[layer] * weight.sqrt()) / weight.mean()
    return grams


def _resized(mask: Tensor, features: Tensor) -> Tensor:
    return F.interpolate(mask, features.shape[-2:], mode="area").clamp_min(1e-6)
