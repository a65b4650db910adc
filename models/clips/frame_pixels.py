"""FFmpeg's frames to upright RGB pixels of a wanted size."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import av
import numpy as np
from av.sidedata.sidedata import SideData
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

from models.clips.dynamic_range import TRANSFERS, to_standard_range

Pixels = NDArray[np.uint8]
"""(height, width, 3), RGB, 0-255."""

_UNKNOWN = (0, 2, 3)
"""Of FFmpeg's colour spaces: RGB, not said, reserved."""
_HD_LINES = 720
_WHITE = 255
_MAX_ASPECT = 4


@dataclass(frozen=True, slots=True)
class Turn:
    """How a decoded frame becomes upright."""

    transposed: bool = False
    mirrored: bool = False
    """Left and right, after the transposition."""
    upside_down: bool = False

    @classmethod
    def of(cls, frame: av.VideoFrame) -> Turn:
        """As the container wants it; angles between are taken as the nearest quarter."""
        matrix = frame.side_data.get("DISPLAYMATRIX")
        if isinstance(matrix, SideData):
            right, down, _, right_too, down_too = struct.unpack_from("=5i", bytes(matrix))
            if abs(down) > abs(right):
                return cls(True, right_too < 0, down < 0)
            return cls(False, right < 0, down_too < 0)
        return cls()

    def upright(self, pixels: Pixels) -> Pixels:
        """Decoded pixels as they are to be seen."""
        if self.transposed:
            pixels = pixels.transpose(1, 0, 2)
        return pixels[:: -1 if self.upside_down else 1, :: -1 if self.mirrored else 1]

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) before or after."""
        return size[::-1] if self.transposed else size


def shown_size(frame: av.VideoFrame, aspect: float) -> tuple[int, int]:
    """(width, height) of a frame as it is to be seen: upright, its pixels (`aspect`) square."""
    width, height = frame.width, frame.height
    if 1 / _MAX_ASPECT <= aspect <= _MAX_ASPECT:
        width = max(1, round(width * aspect))
    return Turn.of(frame).size((width, height))


def to_pixels(frame: av.VideoFrame, size: tuple[int, int], *, crop: bool) -> Pixels:
    """A frame at (width, height), transparency laid over white, high dynamic range made ordinary.

    With `crop` it fills that size and what is left over is cut away on both sides alike; else it is
    stretched, by less than a pixel if the size was well chosen.
    """
    turn = Turn.of(frame)
    inner = _covering(turn.size((frame.width, frame.height)), size) if crop else size
    pixels = turn.upright(_scaled(frame, turn.size(inner)))
    left, top = (inner[0] - size[0]) // 2, (inner[1] - size[1]) // 2
    return np.ascontiguousarray(pixels[top : top + size[1], left : left + size[0]])


def over_white(pixels: NDArray[np.uint8]) -> Pixels:
    """(height, width, 4) with opacity, not premultiplied, laid over white."""
    opacity = pixels[..., 3:].astype(np.uint16)
    mixed = pixels[..., :3] * opacity + _WHITE * (_WHITE - opacity)
    return ((mixed + _WHITE // 2) // _WHITE).astype(np.uint8)


def _covering(size: tuple[int, int], wanted: tuple[int, int]) -> tuple[int, int]:
    scale = max(wanted[0] / size[0], wanted[1] / size[1])
    width, height = (round(side * scale) for side in size)
    return max(width, wanted[0]), max(height, wanted[1])


def _scaled(frame: av.VideoFrame, size: tuple[int, int]) -> Pixels:
    is_hdr = frame.color_trc in TRANSFERS
    has_opacity = any(component.is_alpha for component in frame.format.components) or (
        frame.format.name == "pal8"
    )
    scaled = frame.reformat(
        *size,
        format="rgb48le" if is_hdr else "rgba" if has_opacity else "rgb24",
        src_colorspace=_colorspace(frame),
        dst_color_range=ColorRange.JPEG,
        interpolation=Interpolation.BICUBIC,
        threads=1,
    ).to_ndarray()
    if is_hdr:
        return to_standard_range(scaled.astype(np.uint16, copy=False), frame.color_trc)
    pixels = scaled.astype(np.uint8, copy=False)
    return over_white(pixels) if has_opacity else pixels


def _colorspace(frame: av.VideoFrame) -> int | None:
    """As it says, or as players guess."""
    if frame.format.is_rgb:
        return None
    if frame.colorspace not in _UNKNOWN:
        return frame.colorspace
    return Colorspace.ITU709 if min(frame.width, frame.height) >= _HD_LINES else Colorspace.ITU601
