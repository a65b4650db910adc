"""Pictures in pieces, so that memory holds the activations of one piece alone."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from models.encoders import Encoder
from models.tensors.cropped import cropped
from models.tensors.images import Size

ALIGNMENT_PX = 16
"""What four poolings divide by: pieces that begin on it line up with the whole in every layer."""
MARGIN_PX = 64
"""How far a piece sees beyond what it answers for, so that no seam shows."""
TILE_PIXELS = 640 * 640
"""A picture up to this size is one piece: about 1.5 GB with the slim encoder. In larger pieces a
step takes longer on a processor, their activations being far larger than its cache."""


@dataclass(frozen=True, slots=True)
class Span:
    """One side of a piece: what is encoded, and the part of it that the piece answers for."""

    start: int
    stop: int
    core_start: int
    core_stop: int

    @property
    def seen(self) -> slice:
        """The piece's place in the whole."""
        return slice(self.start, self.stop)

    def core_on(self, stride: int) -> slice:
        """The core's place in a map of the whole with `stride` pixels between two positions."""
        return slice(self.core_start // stride, self.core_stop // stride)

    def core_of(self, length: int, stride: int) -> slice:
        """The core's place in a map of `length` that covers the piece alone."""
        first = (self.core_start - self.start) // stride
        last = length if self.core_stop == self.stop else (self.core_stop - self.start) // stride
        return slice(first, last)


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle of a picture."""

    rows: Span
    columns: Span

    def cut(self, image: Tensor) -> Tensor:
        """The piece with its margins, a view of `image` (N, C, H, W)."""
        return image[..., self.rows.seen, self.columns.seen]

    def core(self, image: Tensor) -> Tensor:
        """The cut piece (N, C, h, w) without its margins; a view."""
        return image[..., *self._core_in(image, 1)]

    def under(self, maps: Tensor, *, stride: int = 1) -> Tensor:
        """Of maps (N, C, h, w) of the whole what lies under the core; a view."""
        return maps[..., self.rows.core_on(stride), self.columns.core_on(stride)]

    def encode(
        self, encoder: Encoder, image: Tensor, layers: Collection[str], *, single: bool = True
    ) -> dict[str, Tensor]:
        """The core's activations by layer name, in single precision, else in the encoder's."""
        features = encoder(self.cut(image), layers)
        return {
            layer: cropped(
                found,
                *self._core_in(found, layer_stride(layer)),
                dtype=torch.float32 if single else found.dtype,
            )
            for layer, found in features.items()
        }

    def _core_in(self, maps: Tensor, stride: int) -> tuple[slice, slice]:
        """Which rows and columns of maps of the cut piece are no margin's."""
        rows = self.rows.core_of(maps.shape[-2], stride)
        return rows, self.columns.core_of(maps.shape[-1], stride)


def layer_stride(layer: str) -> int:
    """How many pixels lie between two positions of e.g. `relu3_1`: 4."""
    return int(2 ** (int(layer[4]) - 1))


def layer_size(size: Size, layer: str) -> Size:
    """Rows and columns of the positions that `layer` has for a picture of `size`."""
    stride = layer_stride(layer)
    return size[0] // stride, size[1] // stride


def positions(size: Size, layer: str) -> int:
    """How many positions `layer` has for a picture of `size`."""
    return math.prod(layer_size(size, layer))


def tiles_for(size: Size, *, tile_pixels: int = TILE_PIXELS) -> list[Tile]:
    """Pieces of about `tile_pixels` at most to encode a picture of `size` by; see `tiles_of`."""
    side = max(int(tile_pixels**0.5), 4 * MARGIN_PX)
    if size[0] * size[1] <= tile_pixels:
        side = max(size)
    return tiles_of(size, (_core_px(size[0], side), _core_px(size[1], side)), margin_px=MARGIN_PX)


def tiles_of(size: Size, core_px: Size, *, margin_px: int) -> list[Tile]:
    """Pieces whose cores of `core_px`, smaller at the end, cover a picture of `size` once.

    Each sees `margin_px` beyond its core, as far as the picture goes.
    """
    rows, columns = (
        list(_spans(length, core, margin_px)) for length, core in zip(size, core_px, strict=True)
    )
    return [Tile(row, column) for row in rows for column in columns]


def _core_px(length: int, side: int) -> int:
    """Cores for pieces of at most `side`, all about as long."""
    if length <= side:
        return length
    count = -(-length // (side - 2 * MARGIN_PX))
    return -(-length // count // ALIGNMENT_PX) * ALIGNMENT_PX


def _spans(length: int, core_px: int, margin_px: int) -> Iterator[Span]:
    for start in range(0, length, core_px):
        stop = min(start + core_px, length)
        yield Span(max(0, start - margin_px), min(length, stop + margin_px), start, stop)
