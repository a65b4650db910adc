"""Two figures of merit for a style transfer, the same for every method.

*Style gap closed* says how much of the way from the photo to the style picture the result has gone,
*content kept* how much of the photo's forms is left. A photo left alone scores 0 and 1. They rank
methods; eyes decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.encoders import Encoder
from models.losses import gram_matrix, style_loss

VGG19_STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1")
SLIM_STYLE_LAYERS = ("relu4_1", "relu5_1")
CONTENT_LAYER = "relu3_3"
LONG_SIDE_PX = 384
"""All three pictures are compared at this size."""


def style_gap_closed(
    content: Mapping[str, Tensor], style: Mapping[str, Tensor], result: Mapping[str, Tensor]
) -> float:
    """Mean over the layers of 1 - min(2, d(result, style) / d(content, style)).

    d is the mean squared difference of the Gram matrices over the mean square of the style's. Each
    argument holds activations (1, C, H, W) by layer name, the same layers in all three; H and W may
    differ. 1 is a perfect match, -1 the worst there is.
    """
    return fmean(
        1
        - min(2.0, _distance(result[layer], style[layer]) / _distance(content[layer], style[layer]))
        for layer in style
    )


def content_kept(content: Tensor, result: Tensor) -> float:
    """Mean product of two instance-normalised feature maps (1, C, H, W) of one shape: at most 1."""
    return float((F.instance_norm(content) * F.instance_norm(result)).mean())


def _distance(features: Tensor, style: Tensor) -> float:
    return float(style_loss(gram_matrix(features), gram_matrix(style)))


class Judge(nn.Module):
    """Works out both figures with the real VGG-19 and, for the deep layers, the slim one."""

    def __init__(self, vgg19: Encoder, slim_vgg19: Encoder) -> None:
        """`vgg19` up to relu3_3, `slim_vgg19` up to relu5_1; see `teachers`."""
        super().__init__()
        self.vgg19 = vgg19
        self.slim_vgg19 = slim_vgg19

    @torch.no_grad()
    def forward(self, content: Tensor, style: Tensor, result: Tensor) -> tuple[float, float]:
        """Style gap closed and content kept, of pictures (1, 3, H, W; RGB, 0-1).

        `content` and `result` are of one size.
        """
        contents, styles, results = (
            self.vgg19(image, (*VGG19_STYLE_LAYERS, CONTENT_LAYER))
            | self.slim_vgg19(image, SLIM_STYLE_LAYERS)
            for image in (content, style, result)
        )
        kept = content_kept(contents[CONTENT_LAYER], results[CONTENT_LAYER])
        del styles[CONTENT_LAYER]
        return style_gap_closed(contents, styles, results), kept
