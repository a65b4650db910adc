"""High dynamic range to ordinary: what a phone's HDR video is on a screen that has none.

FFmpeg's scaler can do it too, but works out a table for every frame, which takes seconds.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

_PQ, _HLG = 16, 18
TRANSFERS: Final = {_PQ, _HLG}
"""FFmpeg's numbers of the transfer functions of BT.2100."""

_LEVELS = 65_535
_WHITE_NITS = 203.0
"""Of paper, by BT.2408; it becomes nearly white, and what is brighter has the rest."""
_PEAK_NITS = 1000.0
_KNEE = 0.75
"""Share of white up to which light stays as it is."""
_BT2020_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)


def to_standard_range(levels: NDArray[np.uint16], transfer: int) -> NDArray[np.uint8]:
    """(height, width, 3) of BT.2100 with one of `TRANSFERS` to sRGB."""
    light = _light(transfer)[levels] @ _BT2020_TO_BT709.T
    # By the brightest channel and not channel by channel: lamps and skies keep their colour.
    brightest = light.max(-1, keepdims=True).clip(1e-6, None)
    light = light * (_compressed(brightest) / brightest)
    steps = np.rint(light.clip(0, 1) * (len(_srgb()) - 1)).astype(np.intp)
    codes: NDArray[np.uint8] = _srgb()[steps]
    return codes


def _compressed(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light up to the peak, paper being 1, to 0-1: bent above the knee (Reinhard's curve)."""
    span, peak = 1 - _KNEE, (_PEAK_NITS / _WHITE_NITS - _KNEE) / (1 - _KNEE)
    over = (light - _KNEE).clip(0, None) / span
    bent = over * (1 + over / peak**2) / (1 + over)
    return np.where(light > _KNEE, _KNEE + span * bent.clip(0, 1), light).astype(np.float32)


@functools.cache
def _light(transfer: int) -> NDArray[np.float32]:
    """Light of the screen for each level, paper being 1."""
    code = np.arange(_LEVELS + 1) / _LEVELS
    nits = _pq_nits(code) if transfer == _PQ else _hlg_nits(code)
    return (nits / _WHITE_NITS).astype(np.float32)


def _pq_nits(code: NDArray[np.float64]) -> NDArray[np.float64]:
    root = code ** (1 / 78.84375)
    share = (root - 0.8359375).clip(0, None) / (18.8515625 - 18.6875 * root)
    nits: NDArray[np.float64] = 10_000 * share ** (1 / 0.1593017578125)
    return nits


def _hlg_nits(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """On a screen of 1,000 nits, its gamma applied channel by channel."""
    dark = code**2 / 3
    bright = (np.exp((code - 0.55991073) / 0.17883277) + 0.28466892) / 12
    nits: NDArray[np.float64] = _PEAK_NITS * np.where(code <= 0.5, dark, bright) ** 1.2
    return nits


@functools.cache
def _srgb() -> NDArray[np.uint8]:
    """Levels of sRGB for steps of light."""
    light = np.linspace(0, 1, 4096)
    code = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    levels: NDArray[np.uint8] = np.rint(255 * code).astype(np.uint8)
    return levels
