"""The numbers of one training of the draft network."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.training.draft.style_bank import Shares


@dataclass(frozen=True, slots=True)
class BatchKind:
    """A share of the steps: one pass over thumbnails, or the last of several over larger crops."""

    share: float
    size_px: int
    batch: int
    passes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The numbers of one training."""

    minutes: float = 75
    """Wall-clock time of the steps; the learning rate's schedule spans it."""
    batches: tuple[BatchKind, ...] = (
        BatchKind(0.25, 96, 8, passes=1),
        BatchKind(0.5, 192, 4, passes=2),
        BatchKind(0.25, 256, 3, passes=3),
    )
    learning_rate: float = 8e-4
    rate_factors: tuple[float, float, float] = (1.0, 1.0, 3.0)
    """Relative learning rates of the network, the coder, and the presets' offsets: seen rarely."""
    warm_up_steps: int = 100
    keep: float = 0.52
    """Correlation with the photo's relu4_2 that paintings should have while learning: the packaged
    weights keep 0.58 by the slim encoder over these batches, and 0.47 of whole photos by the
    figure, which VGG16 gives."""
    shares: Shares = field(default_factory=Shares)
    variants: int = 2
    photo_styles: int = 60
    report_every_s: float = 300
    seed: int = 0
