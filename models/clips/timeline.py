"""Time in clips: whole ticks, and which frames of a quick clip are painted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple, TypeVar

TICKS_PER_S = 90_000
"""24, 25, 30, 60, 30000/1001 frames a second and milliseconds are whole numbers of these."""
TICK = Fraction(1, TICKS_PER_S)
USUAL_FRAME_TICKS = TICKS_PER_S // 25
_EARLY = 0.1
"""Of the time between two frames that are kept: no clock is so exact that none comes too soon."""

_Image = TypeVar("_Image")


def ticks(time: int, time_base: Fraction) -> int:
    """A container's time in ticks."""
    return round(time * time_base * TICKS_PER_S)


class Shown(NamedTuple):
    """When a frame is shown."""

    begin: int
    """Ticks since the first one."""
    length: int
    """Ticks."""


def thinned(
    frames: Iterable[tuple[int, _Image]], frames_per_s: float | None
) -> Iterator[tuple[int, _Image]]:
    """At most `frames_per_s` of frames with their beginnings; all of them if that is None.

    What doesn't come after the frame before it is left out in any case.
    """
    last_begin, last_slot = -1, -1
    for begin, image in frames:
        if begin <= last_begin:
            continue
        if frames_per_s is not None:
            slot = int(begin * frames_per_s / TICKS_PER_S + _EARLY)
            if slot <= last_slot:
                continue
            last_slot = slot
        last_begin = begin
        yield begin, image
