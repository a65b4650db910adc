"""How long a picture or a clip will take, from what such ones really took here."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict, deque
from typing import NamedTuple

from models.interface import Quality, StyleOptions

GUESS_S = {Quality.DRAFT: 2.0, Quality.STANDARD: 45.0, Quality.HIGH: 120.0, None: 0.25}
"""Until something is measured: seconds at `GUESS_SIZE_PX`; None is for a frame of a clip."""
GUESS_SIZE_PX = 512
LAST_JOBS = 30
"""How many pictures of a kind the median looks back on: a new GPU is soon noticed."""

_Kind = Quality | None
"""What takes its own time: a picture of a quality, or a frame of a clip, which has none."""


class Measured(NamedTuple):
    """What was asked for and painted to its end, and what it took."""

    options: StyleOptions
    seconds: float
    frames: int | None = None
    """Of a clip."""


class Timings:
    """Medians of seconds per quality, or per frame, and size.

    Sizes within a power of two count as one.
    """

    def __init__(self) -> None:
        self._seconds: defaultdict[tuple[_Kind, int], deque[float]] = defaultdict(
            lambda: deque(maxlen=LAST_JOBS)
        )

    def record(self, options: StyleOptions, seconds: float, frames: int | None = None) -> None:
        """Remember one picture, or a clip of so many frames, that was painted to its end."""
        self._seconds[_kind_and_size(options, frames)].append(seconds / (frames or 1))

    def estimate_s(self, options: StyleOptions, frames: int | None = None) -> float:
        """The median of the job's size, else of the nearest measured one, scaled by its area."""
        kind, size_px = _kind_and_size(options, frames)
        measured = [px for k, px in self._seconds if k is kind]
        if not measured:
            each_s = GUESS_S[kind] * (size_px / GUESS_SIZE_PX) ** 2
        else:
            nearest = min(measured, key=lambda px: abs(math.log2(px / size_px)))
            each_s = statistics.median(self._seconds[kind, nearest]) * (size_px / nearest) ** 2
        return each_s * (frames or 1)

    def median_by_quality(self) -> dict[str, float]:
        """Median seconds of the last pictures of each quality, of whatever size."""
        by_quality: defaultdict[str, list[float]] = defaultdict(list)
        for (quality, _), seconds in self._seconds.items():
            if quality is not None:
                by_quality[quality.value].extend(seconds)
        return {quality: statistics.median(seconds) for quality, seconds in by_quality.items()}


def _kind_and_size(options: StyleOptions, frames: int | None) -> tuple[_Kind, int]:
    size_px: int = 2 ** math.ceil(math.log2(options.size_px))
    return (options.quality if frames is None else None), size_px
