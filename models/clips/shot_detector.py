"""Where a clip cuts to another shot."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.clips.frame_pixels import Pixels

_LOOK_PX = 64
_BINS = 8
_MOVED = 0.35
"""Share of the pixels that have another colour than before, wherever they are."""
_CHANGED = 18.0
"""Grey levels that the places have changed by, on average: a moving camera changes these alone, a
flicker of the light neither much."""


class ShotDetector:
    """Compares each frame with the one before, by their histograms and place by place."""

    def __init__(self) -> None:
        self._before: tuple[NDArray[np.uint8], NDArray[np.float32]] | None = None

    def begins(self, frame: Pixels) -> bool:
        """Whether `frame` is a shot's first; frames come in their order."""
        small = _small(frame)
        histogram = _histogram(small)
        before, self._before = self._before, (small, histogram)
        if before is None:
            return True
        changed = float(np.abs(small.astype(np.int16) - before[0]).mean())
        moved = float(np.abs(histogram - before[1]).sum()) / 2
        return moved > _MOVED and changed > _CHANGED


def _small(frame: Pixels) -> NDArray[np.uint8]:
    small = cv2.resize(frame, (_LOOK_PX, _LOOK_PX), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8, copy=False)


def _histogram(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Shares of the pixels by colour, blurred: a little more light is no other colour."""
    bins = [_BINS] * 3
    counts = cv2.calcHist([small], [0, 1, 2], None, bins, [0, 256] * 3).reshape(bins)
    for axis in range(3):
        counts = np.apply_along_axis(np.convolve, axis, counts, (0.25, 0.5, 0.25), mode="same")
    return (counts / max(float(counts.sum()), 1.0)).astype(np.float32)
