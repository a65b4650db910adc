"""What a painting aims at: three weights, and how neighbours are searched for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The objective's weights and the search's settings; the same for every encoder."""

    columns: float = 1.0
    """Weight of the matched columns; with 0 the picture starts from the photo and follows the Gram
    matrices alone."""
    gram: float = 0.6
    """Weight of the Gram term."""
    structure: float = 0.7
    """Weight of the structure term where nothing asks for more."""
    alpha: float = 0.6
    """The photo's share in the search for neighbours: 0.5 paints boldly, 0.75 carefully."""
    completeness: float = 0.0
    """Above 0, rarely used pieces of the style come nearer; smaller is stronger, 0.3 is plenty."""
    kept_structure: float = 2.2
    """Weight of the structure term in the middle of a face."""
    kept_share: float = 0.75
    """How far the targets lie from the photo's own vectors (0) towards the style's (1) there."""
    learning_rate: float = 0.012
    noise: float = 0.01
    """Deviation of what is added to each start; it makes the seeds differ."""
    samples: int = 4096
    """Positions of the style among which neighbours are searched for."""


USUAL_RECIPE = Recipe()

PRESET_FIELDS = {
    "gram": 10,
    "structure": 10,
    "alpha": 1,
    "completeness": 10,
    "kept_structure": 10,
    "kept_share": 1,
}
"""What a preset may set for itself, from 0 to this."""


def mixed_recipe(recipes: Sequence[Recipe], weights: Sequence[float]) -> Recipe:
    """The recipe of a mixture: the weighted mean of what presets may set."""
    total = sum(weights)
    means = {
        field: sum(getattr(r, field) * w for r, w in zip(recipes, weights, strict=True)) / total
        for field in PRESET_FIELDS
    }
    return replace(recipes[0], **means)
