"""How long a picture will take, from what pictures of its kind really took here."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict, deque

from models.interface import Quality, StyleOptions

GUESS_S = {Quality.DRAFT: 2.0, Quality.STANDARD: 45.0, Quality.HIGH: 120.0}
"""Until something is measured: seconds at `GUESS_SIZE_PX`."""
GUESS_SIZE_PX = 512
LAST_JOBS = 30
"""How many pictures of a kind the median looks back on: a new GPU is soon noticed."""

QualityAndSize = tuple[Quality, int]


class Timings:
    """Medians of seconds per quality and size; sizes within a power of two count as one."""

    def __init__(self) -> None:
        self._seconds: defaultdict[QualityAndSize, deque[float]] = defaultdict(
            lambda: deque(maxlen=LAST_JOBS)
        )

    def record(self, options: StyleOptions, seconds: float) -> None:
        """Remember one picture that was painted to its end."""
        self._seconds[_quality_and_size(options)].append(seconds)

    def estimate_s(self, options: StyleOptions) -> float:
        """The median of the job's size, else of the nearest measured one, scaled by its area."""
        quality, size_px = _quality_and_size(options)
        measured = [px for q, px in self._seconds if q is quality]
        if not measured:
            return GUESS_S[quality] * (size_px / GUESS_SIZE_PX) ** 2
        nearest = min(measured, key=lambda px: abs(math.log2(px / size_px)))
        return statistics.median(self._seconds[quality, nearest]) * (size_px / nearest) ** 2

    def median_by_quality(self) -> dict[str, float]:
        """Median seconds of the last pictures of each quality, of whatever size."""
        by_quality: defaultdict[str, list[float]] = defaultdict(list)
        for (quality, _), seconds in self._seconds.items():
            by_quality[quality.value].extend(seconds)
        return {quality: statistics.median(seconds) for quality, seconds in by_quality.items()}


def _quality_and_size(options: StyleOptions) -> QualityAndSize:
    return options.quality, 2 ** math.ceil(math.log2(options.size_px))
