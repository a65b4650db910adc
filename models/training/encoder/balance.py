"""Rescale a trained encoder's channels so that Gram matrices of its layers mean something.

ReLU commutes with positive factors, so a channel may be scaled if the next convolution's weights
for it are divided by as much: what the network computes stays the same up to these factors.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.encoders import Encoder
from models.training.encoder.least_squares import biases

_SPREAD = 4.0
"""No channel ends more than so many times larger or smaller than its layer's typical one."""
_SILENT = 0.05
"""Deviations below this share of the layer's mean count as this share of it."""


@torch.no_grad()
def balance(encoder: Encoder, maps: Mapping[str, nn.Conv2d], images: Tensor) -> None:
    """Give every channel the weight that the teacher gives it, and every layer a mean square of 1.

    `maps` go from the encoder's ReLU layers to the teacher's, by layer name: a channel's weight is
    how far one deviation of it moves the teacher's layer. A layer without a map gets channels of
    equal deviation. `images` (N, 3, H, W; RGB, 0-1) are what the squares are measured on. Changes
    `encoder` in place; its maps no longer fit it.
    """
    layers = encoder(images, encoder.layers)
    factors = {name: _factors(layers[name], maps.get(name)) for name in encoder.layers}
    before: Tensor | None = None
    for name, module in encoder.stack.named_children():
        if isinstance(module, nn.Conv2d):
            if before is not None:
                module.weight /= before[:, None, None]
            before = factors[name.replace("conv", "relu")]
            module.weight *= before[:, None, None, None]
            biases(module).mul_(before)


def _factors(activation: Tensor, mapped: nn.Conv2d | None) -> Tensor:
    deviations = activation.std((0, 2, 3))
    # A channel that is nearly always 0 must not be divided by almost nothing.
    deviations = deviations.clamp_min(_SILENT * float(deviations.mean()))
    if mapped is None:
        factors = 1 / deviations
    else:
        factors = mapped.weight.flatten(1).norm(dim=0)
        sizes = factors * deviations
        typical = sizes.median()
        factors = sizes.clamp(typical / _SPREAD, typical * _SPREAD) / deviations
    mean_square = (activation * factors[:, None, None]).square().mean()
    return factors / mean_square.sqrt()
