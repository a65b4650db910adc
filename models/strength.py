"""What a strength of 0-100 means to the two engines: the same step is to look alike in both."""

from __future__ import annotations

from dataclasses import replace

from models.interface import MAX_STRENGTH
from models.neighbours.recipe import Recipe

_NATURAL = 70
"""Up to here the targets move from the photo's own features to the style's; beyond it, the photo's
hold is loosened."""
_EXAGGERATED = 1.2
"""How far beyond the style's own code a draft goes at 100."""
_BOLDEST_ALPHA = 0.75
"""What the photo's share in the search is multiplied by at 100."""
_LOOSEST_STRUCTURE = 0.25
"""What the structure's weight is multiplied by at 100."""


def style_share(strength: float) -> float:
    """How far the targets lie from the photo's own features (0) towards the style's (1)."""
    return min(1.0, strength / _NATURAL)


def _beyond(strength: float) -> float:
    """How far a strength lies beyond the natural one: 0 up to it, 1 for the greatest."""
    return max(0.0, strength - _NATURAL) / (MAX_STRENGTH - _NATURAL)


def loosened(recipe: Recipe, strength: float) -> Recipe:
    """The recipe for a strength: itself up to 70, bolder and freer beyond it."""
    beyond = _beyond(strength)
    return replace(
        recipe,
        alpha=recipe.alpha * _BOLDEST_ALPHA**beyond,
        structure=recipe.structure * _LOOSEST_STRUCTURE**beyond,
    )


def draft_share(strength: float) -> float:
    """How far a draft's code lies from the photo's own (0) towards the style's (1) and beyond."""
    return style_share(strength) + (_EXAGGERATED - 1) * _beyond(strength)
