"""What the frames of one shot of a clip have in common, so that they are painted alike.

A frame's colours and features decide which map carries them to the style. Worked out anew for each
frame that map would tremble; fixed by the first one it would be wrong after a minute's walk. So it
is made of averages that follow the clip slowly, and only on every few frames.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import torch
from torch import Tensor

from models.draft.style_code import Moments

_EVERY = 4
"""Frames from one measurement to the next."""
_NEWS = 0.2
"""What a measurement counts for in the average: after half a second most of it is new."""

Measured = TypeVar("Measured", Tensor, Moments, dict[str, Moments])
Made = TypeVar("Made")


class Shot:
    """The averages of one shot and what is made of them; `begin_frame` before each frame."""

    def __init__(self) -> None:
        self._frames = 0
        self._kept: dict[Hashable, Any] = {}
        self.drift: Tensor | None = None
        """(1, 2, h, w): how far from where each place of the frame was in the first one, x and y as
        shares of its width and height.
        """

    def begin_frame(self, drift: Tensor | None = None) -> None:
        """The next frame is to be painted; see `drift`."""
        self._frames += 1
        self.drift = drift

    def averaged(self, name: Hashable, measure: Callable[[], Measured]) -> Measured:
        """The average over the shot so far of what `measure` gives."""

        def renewed() -> Measured:
            fresh = measure()
            former = self._kept.get(name)
            return fresh if former is None else _moved(former, fresh)

        return self.made(name, renewed)

    def made(self, name: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives of averages: the same until they are measured again."""
        if name not in self._kept or self._frames % _EVERY == 1:
            self._kept[name] = make()
        kept: Made = self._kept[name]
        return kept


def _moved(former: Measured, fresh: Measured) -> Measured:
    """From the `former` value a little towards the `fresh` one."""
    if isinstance(former, dict) and isinstance(fresh, dict):
        return {name: _moved(former[name], value) for name, value in fresh.items()}
    if isinstance(former, Moments) and isinstance(fresh, Moments):
        return Moments(_moved(former.mean, fresh.mean), _moved(former.product, fresh.product))
    assert isinstance(former, Tensor)  # noqa: S101 - for the type checker
    assert isinstance(fresh, Tensor)  # noqa: S101 - likewise
    return torch.lerp(former, fresh, _NEWS)
