"""One pass of the draft network over a photo: in one piece, or a large one in tiles.

A large photo's statistics are estimated over windows spread evenly over all of it, and its tiles
overlap by the network's reach: memory is bounded and no seam shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from models.devices.precision import half_precision
from models.draft.model import DraftModel, DraftStyle
from models.draft.network import CARRIED_LAYERS, REACH, STRIDE, Grain, encoded
from models.draft.shot import Shot
from models.draft.style_code import LayerMoments, Moments, layer_moments
from models.draft.transport import AffineMap
from models.encoders import Encoder
from models.tensors.images import Size, image_size
from models.tensors.tiles import tiles_of

_MARGIN_PX = 8
"""The convolutions' zeros at the borders would show as a frame; so they lie outside the photo."""
_WINDOW_PX, _WINDOWS_A_SIDE = 256, 5


class OnePassPainter:
    """The network and its encoder, with the sizes and the precision they work in."""

    def __init__(
        self, model: DraftModel, encoder: Encoder, *, whole_pixels: int, half: bool | None
    ) -> None:
        """Photos of more than `whole_pixels` are painted in tiles of about that size.

        `half`: convolve in bfloat16; None is where the processor does that in hardware.
        """
        self._model = model
        self._encoder = encoder
        self._whole_pixels = whole_pixels
        self._device = encoder.mean.device
        self._half = half

    def paint(
        self, photo: Tensor, style: DraftStyle, random: torch.Generator, shot: Shot | None = None
    ) -> Tensor:
        """One pass over a recoloured `photo` (1, 3, H, W): (1, 3, H, W), not clamped.

        A frame of a clip is carried as its `shot` is.
        """
        height, width = image_size(photo)
        padded = _padded(photo)
        grain = Grain.under(padded, random)
        if shot is not None and shot.drift is not None:
            drift = F.interpolate(shot.drift, size=(height, width), mode="bilinear")
            sides = torch.tensor((width, height), device=drift.device)[:, None, None]
            grain = grain.carried(_padded(drift * sides))
        if height * width <= self._whole_pixels:
            painting = self._painted_whole(padded, grain, style, shot)
        else:
            painting = self._painted_in_tiles(padded, grain, style, shot)
        return painting[..., _MARGIN_PX : _MARGIN_PX + height, _MARGIN_PX : _MARGIN_PX + width]

    def _painted_whole(
        self, padded: Tensor, grain: Grain, style: DraftStyle, shot: Shot | None
    ) -> Tensor:
        features = self._encoded(padded)
        maps = self._maps(image_size(padded), lambda: [features], style, shot)
        with self._precision():
            return self._model.painted(padded, features, maps, grain, style)

    def _painted_in_tiles(
        self, padded: Tensor, grain: Grain, style: DraftStyle, shot: Shot | None
    ) -> Tensor:
        def parts() -> Iterable[dict[str, Tensor]]:
            return (self._encoded(window) for window in _windows(padded))

        maps = self._maps(image_size(padded), parts, style, shot)
        painting = torch.empty_like(padded)
        side = max(STRIDE, int(self._whole_pixels**0.5) // STRIDE * STRIDE - 2 * REACH)
        for tile in tiles_of(image_size(padded), (side, side), margin_px=REACH):
            piece = tile.cut(padded)
            with self._precision():
                features = encoded(self._encoder, piece)
                below = grain.part(tile.rows.seen, tile.columns.seen)
                painted = self._model.painted(piece, features, maps, below, style)
            tile.under(painting).copy_(tile.core(painted))
        return painting

    def _encoded(self, images: Tensor) -> dict[str, Tensor]:
        with self._precision():
            return encoded(self._encoder, images)

    def _precision(self) -> torch.autocast:
        """For convolutions alone: moments and what follows from them need single precision."""
        return half_precision(self._device, enabled=self._half)

    def _maps(
        self,
        size: Size,
        parts: Callable[[], Iterable[dict[str, Tensor]]],
        style: DraftStyle,
        shot: Shot | None,
    ) -> dict[str, AffineMap]:
        """What moves the features of a photo of `size`, given whole or in parts, to the style's."""

        def measure() -> LayerMoments:
            return _moments(parts())

        if shot is None:
            return self._model.maps(measure(), style)
        return shot.made(
            ("maps", size),
            lambda: self._model.maps(shot.averaged(("layers", size), measure), style),
        )


def _moments(parts: Iterable[dict[str, Tensor]]) -> LayerMoments:
    measured: list[LayerMoments] = [layer_moments(part) for part in parts]
    return {
        name: Moments.cat([part[name] for part in measured]).averaged() for name in CARRIED_LAYERS
    }


def _windows(image: Tensor) -> Iterator[Tensor]:
    """Parts spread evenly over a large image, to estimate its statistics."""
    for top in _places(image.shape[-2]):
        for left in _places(image.shape[-1]):
            yield image[..., top : top + _WINDOW_PX, left : left + _WINDOW_PX]


def _places(length: int) -> list[int]:
    last = max(0, length - _WINDOW_PX)
    return sorted({round(last * place / (_WINDOWS_A_SIDE - 1)) for place in range(_WINDOWS_A_SIDE)})


def _padded(image: Tensor) -> Tensor:
    """Mirrored beyond its borders by `_MARGIN_PX` and up to the next multiple of `STRIDE`."""
    height, width = image_size(image)
    bottom, right = _MARGIN_PX + -height % STRIDE, _MARGIN_PX + -width % STRIDE
    mode = "reflect" if max(bottom, right) < min(height, width) else "replicate"
    return F.pad(image, (_MARGIN_PX, right, _MARGIN_PX, bottom), mode=mode)
