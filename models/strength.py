"""What a strength of 0-100 means to the two engines: the same step is to look alike in both."""

from __future__ import annotations

_NATURAL = 70
"""Up to here the target moves from the photo's own statistics to the style's; beyond it, the
content's hold is loosened."""
_EXAGGERATED = 1.2
"""How far beyond the style's own code a draft goes at 100."""


def style_share(strength: float) -> float:
    """How far the style target lies from the photo's own (0) towards the style's (1).

    Squared, because Gram matrices are products: what is seen grows evenly.
    """
    return min(1.0, strength / _NATURAL) ** 2


def content_factor(strength: float) -> float:
    """What the content's weight is multiplied by: 1 at the default strength, 1/8 at 100."""
    return float(8.0 ** (-max(0.0, strength - _NATURAL) / (100 - _NATURAL)))


def draft_share(strength: float) -> float:
    """How far a draft's code lies from the photo's own (0) towards the style's (1) and beyond."""
    if strength <= _NATURAL:
        return strength / _NATURAL
    return 1 + (_EXAGGERATED - 1) * (strength - _NATURAL) / (100 - _NATURAL)
