"""Where each place of a frame was in its shot's first frame: what the grain goes along."""

from __future__ import annotations

import cv2
import numpy as np

from models.clips.motion import Field, Motion

_CELL_PX = 4
"""The finest grain is no finer."""
_BLUR_CELLS = 6.0
_STILL_PX, _SURE_PX = 0.4, 0.8
"""Motion below the first is a camera's noise, above the second certainly none."""
_CLOSEST = 2 / 3
_TOO_CLOSE = 0.2
"""Share of places that came from so much closer to one another at which the drift begins anew:
grain that has grown with a zoom is no fine grain any more."""


class Drift:
    """The motions of one shot, added up."""

    def __init__(self) -> None:
        self._sum: Field | None = None

    def after(self, motion: Motion | None) -> Field | None:
        """(h, w, 2): x and y in pixels, for each cell of a few pixels; None in the first frame.

        `motion` is from the frame before; None begins a shot.
        """
        if motion is None:
            self._sum = None
            return None
        moved = _moved(motion)
        if self._sum is not None:
            height, width = moved.shape[:2]
            columns, rows = np.meshgrid(
                np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
            )
            before = cv2.remap(
                self._sum,
                columns + moved[..., 0] / _CELL_PX,
                rows + moved[..., 1] / _CELL_PX,
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            moved += before
        if _coarse(moved) > _TOO_CLOSE:
            moved = np.zeros_like(moved)
        self._sum = moved
        return moved


def _moved(motion: Motion) -> Field:
    height, width = motion.belief.shape
    moved = np.dstack(
        (
            motion.places[0] - np.arange(width, dtype=np.float32),
            motion.places[1] - np.arange(height, dtype=np.float32)[:, None],
        )
    )
    size = max(1, width // _CELL_PX), max(1, height // _CELL_PX)
    small = cv2.resize(moved, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), _BLUR_CELLS)
    length = np.hypot(small[..., 0], small[..., 1])
    small *= ((length - _STILL_PX) / (_SURE_PX - _STILL_PX)).clip(0, 1)[..., None]
    return small.astype(np.float32, copy=False)


def _coarse(drift: Field) -> float:
    """Share of the places at which grain is coarser than it should be."""
    across = 1 + np.diff(drift[..., 0], axis=1) / _CELL_PX
    down = 1 + np.diff(drift[..., 1], axis=0) / _CELL_PX
    closest = np.minimum(across[1:], down[:, 1:])
    return float((closest < _CLOSEST).mean()) if closest.size else 0.0
