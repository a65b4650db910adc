"""Where each place of a frame was in the frame before, and how far that may be believed.

Dense inverse search (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", 2016), in both
directions. What the two disagree about was uncovered, or goes away (Sundaram et al., "Dense point
trajectories by GPU-accelerated large displacement optical flow", 2010); what has another colour in
the frame before, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.clips.frame_pixels import Pixels

Field = NDArray[np.float32]
Grey = NDArray[np.uint8]

_FLOW_PX = 480
"""Long side at which motion is looked for; larger frames are reduced to it."""
_MIN_SIDE_PX = 32
"""The search has no room in anything narrower."""
_GREY_BLUR_PX = 1.0
"""Takes most of a camera's noise, which the search would follow, and no contour."""
_PER_LENGTH, _FREE, _SOFT = 0.01, 0.3, 0.7
"""Squared disagreement that is nothing, as a share of the squared motion and in squared pixels, and
that beyond which belief fades."""
_COLOR_FREE, _COLOR_SOFT = 4.0, 10.0
"""Grey levels, likewise, of the colours' differences."""
_COLOR_BLUR_PX = 1.5


@dataclass(frozen=True, slots=True)
class Motion:
    """From the frame before to this one."""

    places: tuple[Field, Field]
    """(height, width) each: x and y in the frame before of what is seen here."""
    belief: Field
    """(height, width), 0-1."""
    moving: float
    """Share of the places that move, those by less than a pixel counting in part."""

    def carried(self, image: Field) -> Field:
        """An image (height, width, channels) of the frame before, carried here."""
        return _remapped(image, self.places, cv2.INTER_CUBIC)


class MotionFinder:
    """Looks for the motion between frames; used in one thread."""

    def __init__(self) -> None:
        self._search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._last: tuple[Pixels, Grey] | None = None

    def find(self, before: Pixels, now: Pixels) -> Motion:
        """The motion from `before` to `now`, of one size."""
        height, width = now.shape[:2]
        last = self._last
        one = last[1] if last is not None and last[0] is before else _grey(before)
        other = _grey(now)
        self._last = now, other
        back, forth = (
            _enlarged(self._flow(*pair), (width, height)) for pair in ((other, one), (one, other))
        )
        columns, rows = np.meshgrid(
            np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
        )
        places = columns + back[..., 0], rows + back[..., 1]
        belief = _agreement(back, _at(forth, places)) * _likeness(before, now, places)
        inside = (places[0] >= 0) & (places[0] <= width - 1)
        inside &= (places[1] >= 0) & (places[1] <= height - 1)
        moving = float(np.minimum(cv2.magnitude(*cv2.split(back)), 1).mean())
        return Motion(places, belief * inside, moving)

    def _flow(self, there: Grey, here: Grey) -> Field:
        """(h, w, 2): what to add to a place of the first to find it in the second."""
        flow = np.zeros((*there.shape, 2), np.float32)
        return self._search.calc(there, here, flow).astype(np.float32, copy=False)


def _grey(frame: Pixels) -> Grey:
    """At the size at which motion is looked for."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    scale = min(1.0, _FLOW_PX / max(height, width))
    size = max(_MIN_SIDE_PX, round(width * scale)), max(_MIN_SIDE_PX, round(height * scale))
    if size != (width, height):
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(grey, (0, 0), _GREY_BLUR_PX).astype(np.uint8, copy=False)


def _enlarged(flow: Field, size: tuple[int, int]) -> Field:
    height, width = flow.shape[:2]
    if (width, height) == size:
        return flow
    larger = cv2.resize(flow, size, interpolation=cv2.INTER_LINEAR)
    larger[..., 0] *= size[0] / width
    larger[..., 1] *= size[1] / height
    return larger.astype(np.float32, copy=False)


def _at(image: Field | Pixels, places: tuple[Field, Field]) -> Field:
    return _remapped(image, places, cv2.INTER_LINEAR)


def _remapped(image: Field | Pixels, places: tuple[Field, Field], how: int) -> Field:
    found = cv2.remap(image, *places, how, borderMode=cv2.BORDER_REPLICATE)
    return found.astype(np.float32, copy=False)


def _agreement(back: Field, forth: Field) -> Field:
    """1 where going back and forth leads to the same place, 0 where it doesn't."""
    beyond = _squared(back + forth) - _FREE
    beyond -= np.float32(_PER_LENGTH) * (_squared(back) + _squared(forth))
    agreement: Field = np.exp(np.maximum(beyond, 0, out=beyond) / -_SOFT)
    return agreement


def _squared(flow: Field) -> Field:
    """(height, width): the squares of its lengths. Plane by plane: a sum over two is slow."""
    columns, rows = flow[..., 0], flow[..., 1]
    squares: Field = columns * columns + rows * rows
    return squares


def _likeness(before: Pixels, now: Pixels, places: tuple[Field, Field]) -> Field:
    """1 where both frames have the same colour, 0 where another."""
    change = cv2.subtract(now, _at(before, places), dtype=cv2.CV_32F)
    # Blurred with its sign: a camera's noise is gone by that, an edge in another place is not.
    change = np.abs(cv2.GaussianBlur(change, (0, 0), _COLOR_BLUR_PX))
    red, green, blue = cv2.split(change)
    beyond = np.maximum(cv2.max(cv2.max(red, green), blue) - _COLOR_FREE, 0) / _COLOR_SOFT
    likeness: Field = np.exp(-np.square(beyond))
    return likeness
