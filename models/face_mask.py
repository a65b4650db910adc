"""Where a painting keeps to the photo, because there is a face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor

from models.faces import Face
from models.tensors.images import Size

_WHOLE = 1.0
_GONE = 1.75
"""The ellipse in which a face is kept and the one outside of which nothing is, in ellipses about
the detector's box: between them lie the ears, the hair line and the jaw."""
_SKIN = 0.7
"""Of the mask where a face has neither eyes nor mouth."""
_FEATURE = 0.28
"""How far around an eye and the mouth the mask is whole, in widths of the face."""

_DETAIL = 0.11
"""Half the width of an eye, in widths of the face."""


@dataclass(frozen=True, slots=True)
class FaceMask:
    """What an engine has to know of the faces in a photo."""

    mask: Tensor
    """(1, 1, H, W) of 0-1: 1 at eyes and mouths, less in the remaining face, 0 outside of it."""
    detail_px: float
    """Half the width of an eye: what is finer than that tells one person from another."""

    @classmethod
    def of(
        cls, faces: Sequence[Face], size: Size, *, long_side_px: int, device: torch.device
    ) -> FaceMask:
        """Of one face and more in a photo with a long side of `long_side_px`.

        A picture of `size` may be padded beyond the photo, below and to the right.
        """
        height, width = size
        y = (torch.arange(height) + 0.5)[:, None] / long_side_px
        x = (torch.arange(width) + 0.5)[None] / long_side_px
        mask = torch.zeros(size)
        for face in faces:
            torch.maximum(mask, _one(face, x, y), out=mask)
        usual = median(face.width for face in faces)
        return cls(mask[None, None].to(device), _DETAIL * usual * long_side_px)


def _one(face: Face, x: Tensor, y: Tensor) -> Tensor:
    (down_x, down_y), (middle_x, middle_y) = face.down, face.centre
    along = (x - middle_x) * down_x + (y - middle_y) * down_y
    across = (x - middle_x) * down_y - (y - middle_y) * down_x
    radius = ((2 * across / face.width).square() + (2 * along / face.height).square()).sqrt()
    oval = _fade(radius, _WHOLE, _GONE)
    right_eye, left_eye, _, right_corner, left_corner = face.landmarks
    mouth = (right_corner[0] + left_corner[0]) / 2, (right_corner[1] + left_corner[1]) / 2
    features = torch.zeros_like(oval)
    for place_x, place_y in (right_eye, left_eye, mouth):
        distance = ((x - place_x).square() + (y - place_y).square()).sqrt() / face.width
        torch.maximum(features, _fade(distance, _FEATURE / 2, 2 * _FEATURE), out=features)
    return oval * (_SKIN + (1 - _SKIN) * features)


def _fade(values: Tensor, whole: float, gone: float) -> Tensor:
    """1 up to `whole`, 0 from `gone` on, smooth between."""
    share = ((gone - values) / (gone - whole)).clamp(0, 1)
    return share.square() * (3 - 2 * share)
