"""How large a painted clip may be, in pixels and in bits a second, to fit into a message."""

from __future__ import annotations

from dataclasses import dataclass

from models.clips.encoder import MAX_BITS_PER_S
from models.clips.interface import ClipFacts, ClipKind, ClipLimits
from models.interface import MIN_SIZE_PX

_BITS_A_PIXEL = 0.08
"""Of every frame; below it strokes become blocks, and a smaller clip looks better."""
_USED = 0.95
"""Of the bytes there are; the rest is for the index."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What fits."""

    size_px: int
    """Long side, at most what was asked for."""
    bits_per_s: int
    """Of the picture."""
    has_sound: bool
    """Whether there is room for the source's."""


def budget(facts: ClipFacts, kind: ClipKind, limits: ClipLimits, size_px: int) -> Budget:
    """The largest size up to `size_px` at which the painted clip is worth looking at and fits."""
    bits = 8 * _USED * limits.out_bytes
    wants_sound = facts.has_sound and kind is not ClipKind.ANIMATION
    has_sound = wants_sound and 8 * facts.sound_bytes < bits / 2
    if has_sound:
        bits -= 8 * facts.sound_bytes
    # An encoder that holds its rate over a second may be a second's worth above it in all.
    bits_per_s = min(MAX_BITS_PER_S, bits / (facts.seconds + 1))
    width, height = facts.painted_size(kind, size_px)
    frames_per_s = facts.frames_to_paint(limits) / facts.seconds
    needed = _BITS_A_PIXEL * width * height * frames_per_s
    if bits_per_s < needed:
        size_px = max(min(MIN_SIZE_PX, size_px), int(size_px * (bits_per_s / needed) ** 0.5))
    return Budget(size_px, int(bits_per_s), has_sound)
