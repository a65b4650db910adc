"""Encoding a picture piece by piece, so that memory holds the activations of one piece alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from torch import Tensor

from models.encoders import Encoder
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

    def core_of(self, length: int, stride: int) -> slice:
        """The core's place in a feature map of `length` that covers start ... stop."""
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
        return image[..., self.rows.start : self.rows.stop, self.columns.start : self.columns.stop]

    def core(self, features: Tensor, *, layer: str) -> Tensor:
        """The features of the cut piece without those of the margins."""
        stride = layer_stride(layer)
        rows = self.rows.core_of(features.shape[-2], stride)
        columns = self.columns.core_of(features.shape[-1], stride)
        return features[..., rows, columns]

    def encode(self, encoder: Encoder, image: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """The core's activations by layer name."""
        features = encoder(self.cut(image), layers)
        return {layer: self.core(found, layer=layer) for layer, found in features.items()}


def layer_stride(layer: str) -> int:
    """How many pixels lie between two positions of e.g. `relu3_1`: 4."""
    return int(2 ** (int(layer[4]) - 1))


def positions(size: Size, layer: str) -> int:
    """How many positions `layer` has for a picture of `size`."""
    stride = layer_stride(layer)
    return (size[0] // stride) * (size[1] // stride)


def tiles_for(size: Size, *, tile_pixels: int = TILE_PIXELS) -> list[Tile]:
    """Rectangles of about `tile_pixels` at most whose cores cover a picture of `size` once."""
    side = max(int(tile_pixels**0.5), 4 * MARGIN_PX)
    if size[0] * size[1] <= tile_pixels:
        side = max(size)
    rows, columns = (list(_spans(length, side)) for length in size)
    return [Tile(row, column) for row in rows for column in columns]


def _spans(length: int, side: int) -> Iterator[Span]:
    if length <= side:
        yield Span(0, length, 0, length)
        return
    count = -(-length // (side - 2 * MARGIN_PX))
    step = -(-length // count // ALIGNMENT_PX) * ALIGNMENT_PX
    for start in range(0, length, step):
        stop = min(start + step, length)
        yield Span(max(0, start - MARGIN_PX), min(length, stop + MARGIN_PX), start, stop)
