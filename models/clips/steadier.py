"""What is left of the flicker, taken out: paintings carried along the motion, and kept fresh.

Each painting is mixed with the one before, carried along the motion, as far as that may be believed
(after Ruder et al., "Artistic style transfer for videos", 2016, who ask the same of a loss, and
Bonneel et al., "Blind video temporal consistency", 2015). What all the paintings of a place agree
about stays; what each made of it by chance is averaged away, and some of the strokes with it. So
their contrast is given back, band by band, until it is about that of single paintings: in what is
shown, not in what is carried on.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.clips.motion import Field, Motion

_MOST_SEEN = 10.0
"""So many paintings count: nine tenths of the carried one are kept then."""
_FINEST_PX = 1.0
_BANDS = 3
"""Each is of details twice as wide as those of the one before."""
_WIDE_PX = 2.0
_POWER = 2.0
"""Gains go with this power of what a band has lost: a contrast of the same size, but made of the
fewer strokes that are left, would be less style."""
_MAX_GAIN = 2.0
_NEWS = 0.1
"""What a frame's gains count for in their average."""


class Steadier:
    """Takes the paintings of one shot in their order."""

    def __init__(self) -> None:
        self._before: Field | None = None
        self._seen: Field | None = None
        """(height, width): of how many paintings each place of that one is made."""
        self._gains: NDArray[np.float64] = np.ones(_BANDS)

    def steady(self, painting: Field, motion: Motion | None) -> Field:
        """What to show instead of `painting` (height, width, 3), 0-255; it may leave that range.

        `motion` is from the frame before; None begins a shot.
        """
        if motion is None or self._before is None or self._seen is None:
            self._before = painting
            self._seen = np.full(painting.shape[:2], _MOST_SEEN, np.float32)
            self._gains = np.ones(_BANDS)
            return painting
        # Of what was just uncovered all paintings count the same until there are enough of them:
        # the first one, made at the picture's border, would stay for long, as a stripe.
        seen = motion.carried(self._seen).clip(0, _MOST_SEEN - 1)
        kept = motion.belief * seen / (seen + 1)
        self._seen = motion.belief * seen + 1
        steady = motion.carried(self._before)
        steady -= painting
        steady *= cv2.merge([kept] * 3)
        steady += painting
        # A filter that keeps edges sharp overshoots; carried on and on that would grow.
        self._before = np.clip(steady, 0, 255, out=steady)
        return self._with_contrast_of(painting, self._before, motion.moving)

    def _with_contrast_of(self, painting: Field, steady: Field, moving: float) -> Field:
        bands, coarse = _split(steady)
        wanted, _ = _split(painting)
        # Without their means, which are nearly nothing.
        ratios = [
            cv2.norm(one) / max(cv2.norm(other), 1e-3)
            for one, other in zip(wanted, bands, strict=True)
        ]
        gains = np.clip(np.power(ratios, _POWER), 1, _MAX_GAIN)
        # Where nothing moves nothing was lost: what paintings of one place disagree about is noise.
        gains = 1 + moving * (gains - 1)
        self._gains = self._gains + _NEWS * (gains - self._gains)
        for gain, band in zip(self._gains, bands, strict=True):
            cv2.scaleAdd(band, gain, coarse, dst=coarse)
        return coarse


def _split(image: Field) -> tuple[list[Field], Field]:
    """Its details, the finest first, and what has none; together they are the image."""
    bands = []
    for number in range(_BANDS):
        coarse = _blurred(image, _FINEST_PX * 2**number)
        bands.append(image - coarse)
        image = coarse
    return bands, image


def _blurred(image: Field, sigma_px: float) -> Field:
    """Wide blurs are made at half the size, at which what is seen of them is the same."""
    height, width = image.shape[:2]
    if sigma_px <= _WIDE_PX or min(height, width) < 2:
        return cv2.GaussianBlur(image, (0, 0), sigma_px).astype(np.float32, copy=False)
    small = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma_px / 2)
    enlarged = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return enlarged.astype(np.float32, copy=False)
