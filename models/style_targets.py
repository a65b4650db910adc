"""What style pictures ask of a painting at each scale; measured once and remembered."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Collection, Sequence
from pathlib import Path

import torch
from torch import Tensor

from models.encoders import MIN_SIDE_PX, Encoder
from models.gatys import Grams, measure_grams, mix_grams
from models.images import image_size, resize, scaled_size, to_tensor
from models.interface import Style
from models.pictures import inspect, open_picture

_REMEMBERED = 128
"""Scales of style pictures; about 0.2 MB each with the slim encoder, 2.5 MB with VGG16."""
_MAX_STYLE_PX = 4096
"""Beyond it (a large picture, a wide brush) the middle of the style picture is enough."""


class StyleTargets:
    """Gram matrices of style pictures by their content and scale, the last used ones kept."""

    def __init__(self, encoder: Encoder, layers: Collection[str], *, device: torch.device) -> None:
        self._encoder = encoder
        self._layers = tuple(layers)
        self._device = device
        self._kept: OrderedDict[tuple[str, int], Grams] = OrderedDict()

    def at_scales(
        self, styles: Sequence[Style], long_sides_px: Sequence[int], *, brush: float
    ) -> list[Grams]:
        """The mixture's target for paintings of each of `long_sides_px`.

        A style picture is scaled to the painting's long side times `brush`, so that strokes have
        the same size relative to the picture at every scale. Raises PictureError.
        """
        scales = [max(1, round(long_side_px * brush)) for long_side_px in long_sides_px]
        measured = [self._measure(style.picture, scales) for style in styles]
        weights = [style.weight for style in styles]
        return [
            mix_grams(list(zip(grams, weights, strict=True)))
            for grams in zip(*measured, strict=True)
        ]

    def _measure(self, path: Path, scales: Sequence[int]) -> list[Grams]:
        inspect(path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        missing = [scale for scale in scales if (digest, scale) not in self._kept]
        if missing:
            picture = to_tensor(open_picture(path, long_side_px=max(missing)), self._device)
            for scale in missing:
                image = _scaled(picture, scale)
                self._kept[digest, scale] = measure_grams(self._encoder, image, self._layers)
        found = [self._kept[digest, scale] for scale in scales]
        for scale in scales:
            self._kept.move_to_end((digest, scale))
        while len(self._kept) > _REMEMBERED:
            self._kept.popitem(last=False)
        return found


def _scaled(picture: Tensor, long_side_px: int) -> Tensor:
    if long_side_px > _MAX_STYLE_PX:
        picture = _middle(picture, _MAX_STYLE_PX / long_side_px)
        long_side_px = _MAX_STYLE_PX
    height, width = scaled_size(picture, long_side_px)
    scale = max(1.0, MIN_SIDE_PX / min(height, width))
    return resize(picture, (round(height * scale), round(width * scale))).clamp(0, 1)


def _middle(picture: Tensor, share: float) -> Tensor:
    height, width = image_size(picture)
    rows, columns = max(1, round(height * share)), max(1, round(width * share))
    top, left = (height - rows) // 2, (width - columns) // 2
    return picture[..., top : top + rows, left : left + columns]
