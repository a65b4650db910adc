"""Style pictures at the scales of a painting: measured once and remembered."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from models.encoders import MIN_SIDE_PX, Encoder
from models.interface import Style
from models.neighbours.style import StylePool, StyleSamples, pool, sample_style
from models.pictures import inspect, open_picture
from models.tensors.images import image_size, resize, scaled_size, to_tensor

_REMEMBERED_BYTES = 256 * 2**20
"""One scale of a style picture takes about 30 MB with the slim encoder, 60 MB with VGG16."""
_MAX_STYLE_PX = 4096
"""Beyond it (a large picture, a wide brush) the middle of the style picture is enough."""

_Key = tuple[str, int, int]
"""SHA-256 of the file, long side, seed."""


class StyleCache:
    """Samples of style pictures by their content and scale, the last used ones kept."""

    def __init__(self, encoder: Encoder, *, samples: int, device: torch.device) -> None:
        self._encoder = encoder
        self._samples = samples
        self._device = device
        self._kept: OrderedDict[_Key, StyleSamples] = OrderedDict()

    def at_scales(
        self, styles: Sequence[Style], long_sides_px: Sequence[int], *, brush: float, seed: int
    ) -> list[StylePool]:
        """The mixture for paintings of each of `long_sides_px`.

        A style picture is scaled to the painting's long side times `brush`, so that strokes have
        the same size relative to the picture at every scale. Raises PictureError.
        """
        scales = [max(1, round(long_side_px * brush)) for long_side_px in long_sides_px]
        measured = [self._measure(style.picture, scales, seed) for style in styles]
        weights = [style.weight for style in styles]
        return [pool(parts, weights) for parts in zip(*measured, strict=True)]

    def _measure(self, path: Path, scales: Sequence[int], seed: int) -> list[StyleSamples]:
        inspect(path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        keys = [(digest, scale, seed) for scale in scales]
        found = {key: self._kept.pop(key) for key in dict.fromkeys(keys) if key in self._kept}
        missing = [key for key in dict.fromkeys(keys) if key not in found]
        if missing:
            largest = max(scale for _, scale, _ in missing)
            picture = to_tensor(open_picture(path, long_side_px=largest), self._device)
            for key in missing:
                found[key] = self._sample(_scaled(picture, key[1]), seed)
        self._remember(found)
        return [found[key] for key in keys]

    def _sample(self, image: Tensor, seed: int) -> StyleSamples:
        return sample_style(self._encoder, image, samples=self._samples, seed=seed)

    def _remember(self, found: dict[_Key, StyleSamples]) -> None:
        self._kept.update(found)
        total = sum(samples.nbytes for samples in self._kept.values())
        while total > _REMEMBERED_BYTES:
            total -= self._kept.popitem(last=False)[1].nbytes


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
