"""Style pictures at the scales of a painting: measured once and remembered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from models.encoders import MIN_SIDE_PX, Encoder
from models.files import file_sha256
from models.interface import Style
from models.lru_cache import LruCache
from models.neighbours.style import StylePool, StyleSamples, pool, sample_style
from models.pictures.headers import inspect
from models.pictures.reading import open_picture
from models.tensors.images import image_size, resize, scaled_size, to_tensor

_REMEMBERED_BYTES = 256 * 2**20
"""One scale of a style picture takes about 30 MB with the slim encoder, 60 MB with VGG16."""
_MAX_STYLE_PX = 4096
"""Beyond it (a large picture, a wide brush) the middle of the style picture is enough."""

_Key = tuple[str, int, int]
"""SHA-256 of the file, long side, seed."""


class StyleCache:
    """Samples of style pictures by their content and scale, the last used ones kept."""

    def __init__(
        self,
        encoder: Encoder,
        *,
        samples: int,
        device: torch.device,
        limit_bytes: int = _REMEMBERED_BYTES,
    ) -> None:
        """`samples` is the most positions of a style that are kept at one scale.

        Tensors of `limit_bytes` in all are remembered.
        """
        self._encoder = encoder
        self._samples = samples
        self._device = device
        self._kept = LruCache[_Key, StyleSamples](
            limit_bytes, size_of=lambda samples: samples.nbytes
        )

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
        sha256 = file_sha256(path)
        # Held here until all of them are there: keeping one may push out another.
        found = {scale: self._kept.get((sha256, scale, seed)) for scale in scales}
        missing = [scale for scale, samples in found.items() if samples is None]
        if missing:
            picture = to_tensor(open_picture(path, long_side_px=max(missing)), self._device)
            for scale in missing:
                found[scale] = self._sample(_scaled(picture, scale), seed)
        ready = {scale: samples for scale, samples in found.items() if samples is not None}
        for scale, samples in ready.items():
            self._kept.keep((sha256, scale, seed), samples)
        return [ready[scale] for scale in scales]

    def _sample(self, image: Tensor, seed: int) -> StyleSamples:
        return sample_style(self._encoder, image, samples=self._samples, seed=seed)


def _scaled(image: Tensor, long_side_px: int) -> Tensor:
    if long_side_px > _MAX_STYLE_PX:
        image = _middle(image, _MAX_STYLE_PX / long_side_px)
        long_side_px = _MAX_STYLE_PX
    height, width = scaled_size(image, long_side_px)
    scale = max(1.0, MIN_SIDE_PX / min(height, width))
    return resize(image, (round(height * scale), round(width * scale))).clamp(0, 1)


def _middle(image: Tensor, share: float) -> Tensor:
    height, width = image_size(image)
    rows, columns = max(1, round(height * share)), max(1, round(width * share))
    top, left = (height - rows) // 2, (width - columns) // 2
    return image[..., top : top + rows, left : left + columns]
