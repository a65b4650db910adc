"""Clips made of one photo, whose true motion is known place by place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.clips.frame_pixels import Pixels
from models.clips.motion import Field

_HEIGHT = 2 / 3
"""Of the width."""
_PAN_PX = 2
_OBJECT_PX = (3, 1)
_OBJECT = 0.25
"""Of the width."""
_NOISE = 5.0
"""Grey levels."""
_ZOOM = 1.01
"""From frame to frame."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A clip and where everything in it comes from."""

    name: str
    frames: list[Pixels]
    moved: list[Field]
    """(height, width, 2) each: what to add to a place (x, y) to find it in the frame before."""
    seen: list[NDArray[np.bool_]]
    """(height, width) each: what was in the frame before; nothing in the first one."""


def make_scene(name: str, photo: Image.Image, *, width: int, count: int) -> Scene:
    """One of `SCENES` of so many frames. Raises KeyError."""
    size = width, round(width * _HEIGHT) // 2 * 2
    return SCENES[name](photo, size, count)


def _pan(photo: Image.Image, size: tuple[int, int], count: int) -> Scene:
    """2 px a frame to the right."""
    wide = _covering(photo, (size[0] + _PAN_PX * count, size[1]))
    frames = [_cut(wide, (_PAN_PX * number, 0), size) for number in range(count)]
    seen = np.ones(size[::-1], bool)
    seen[:, -_PAN_PX:] = False
    return Scene("pan", frames, [_still(size, _PAN_PX)] * count, _from_second(seen, count))


def _object(photo: Image.Image, size: tuple[int, int], count: int) -> Scene:
    """A round piece of the photo, upside down, goes over a still ground."""
    ground = _cut(_covering(photo, size), (0, 0), size)
    side = round(size[0] * _OBJECT)
    piece = np.asarray(photo.convert("RGB").rotate(180).resize((side, side)))
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    disc = np.hypot(rows, columns) < side / 2
    frames, moved, seen = [], [], []
    covered = np.zeros(size[::-1], bool)
    for number in range(count):
        left, top = (10 + step * number for step in _OBJECT_PX)
        frame, here = ground.copy(), np.zeros(size[::-1], bool)
        frame[top : top + side, left : left + side][disc] = piece[disc]
        here[top : top + side, left : left + side] = disc
        flow = _still(size)
        flow[here] = [-step for step in _OBJECT_PX]
        frames.append(frame)
        moved.append(flow)
        seen.append((here | ~covered) & (number > 0))
        covered = here
    return Scene("object", frames, moved, seen)


def _two_shots(photo: Image.Image, size: tuple[int, int], count: int) -> Scene:
    """A pan that cuts in the middle to one of the photo's negative, mirrored."""
    first = _pan(photo, size, count)
    half = count // 2
    others = [255 - frame[:, ::-1] for frame in first.frames[::-1]]
    frames = [*first.frames[:half], *map(np.ascontiguousarray, others[half:])]
    seen = list(first.seen)
    seen[half] = np.zeros_like(seen[half])
    return Scene("cut", frames, first.moved, seen)


def _noise(photo: Image.Image, size: tuple[int, int], count: int) -> Scene:
    """A still picture with a camera's noise."""
    random = np.random.default_rng(0)
    still = _cut(_covering(photo, size), (0, 0), size)
    frames = [
        np.clip(still + random.normal(0, _NOISE, still.shape), 0, 255).astype(np.uint8)
        for _ in range(count)
    ]
    everything = np.ones(size[::-1], bool)
    return Scene("noise", frames, [_still(size)] * count, _from_second(everything, count))


def _zoom(photo: Image.Image, size: tuple[int, int], count: int) -> Scene:
    """The camera goes nearer by a hundredth a frame."""
    large = _covering(photo, (2 * size[0], 2 * size[1]))
    middle = np.array(size, np.float32) / 2 - 0.5
    columns, rows = np.meshgrid(*(np.arange(side, dtype=np.float32) for side in size))
    away = np.stack([columns, rows], -1) - middle
    frames = []
    for number in range(count):
        scale = 2 / _ZOOM**number
        places = away * scale + (2 * middle + 0.5)
        blurred = cv2.GaussianBlur(large, (0, 0), 0.4 * scale)
        found = cv2.remap(blurred, places[..., 0], places[..., 1], cv2.INTER_CUBIC)
        frames.append(found.astype(np.uint8))
    flow = (away * (1 / _ZOOM - 1)).astype(np.float32)
    everything = np.ones(size[::-1], bool)
    return Scene("zoom", frames, [flow] * count, _from_second(everything, count))


SCENES: dict[str, Callable[[Image.Image, tuple[int, int], int], Scene]] = {
    "pan": _pan,
    "object": _object,
    "cut": _two_shots,
    "noise": _noise,
    "zoom": _zoom,
}


def _covering(photo: Image.Image, size: tuple[int, int]) -> Pixels:
    """The photo at the least size of its own shape that covers `size`."""
    scale = max(size[0] / photo.width, size[1] / photo.height)
    width, height = (max(1, round(side * scale)) for side in photo.size)
    enough = max(width, size[0]), max(height, size[1])
    return np.asarray(photo.convert("RGB").resize(enough, Image.Resampling.LANCZOS))


def _cut(pixels: Pixels, place: tuple[int, int], size: tuple[int, int]) -> Pixels:
    left, top = place[0], place[1] + (pixels.shape[0] - size[1]) // 2
    return np.ascontiguousarray(pixels[top : top + size[1], left : left + size[0]])


def _still(size: tuple[int, int], right: float = 0) -> Field:
    flow = np.zeros((*size[::-1], 2), np.float32)
    flow[..., 0] = right
    return flow


def _from_second(seen: NDArray[np.bool_], count: int) -> list[NDArray[np.bool_]]:
    return [np.zeros_like(seen), *[seen] * (count - 1)]
