"""The bot's end of an engine in a Ray cluster."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Never

from models.clips.interface import ClipError, ClipProblem
from models.interface import (
    DeviceLostError,
    EngineError,
    OnStep,
    Painting,
    Style,
    StyleOptions,
    ignore_step,
)
from models.pictures import PictureError
from models.remote.messages import Answer, PictureOrder, Refusal, SentStyle

STOP_WITHIN_S = 0.05
"""So often it is looked whether to stop; a step is passed on at once."""

CONTROL = "control"
"""The actor's second concurrency group: what may be called while it paints."""


class RayStylizer:
    """Implements `models.interface.Stylizer` by an actor that is a `RemotePainter`.

    An actor whose process or machine is gone is a DeviceLostError, as a GPU in this machine.
    """

    def __init__(self, actor: Any) -> None:
        self._actor = actor
        self._numbers = itertools.count(1)

    def stylize(
        self,
        content: Path,
        styles: Sequence[Style],
        options: StyleOptions,
        *,
        on_step: OnStep = ignore_step,
        stop: threading.Event | None = None,
    ) -> Painting:
        """As in `Stylizer`; OSError for a file that can't be read."""
        order = PictureOrder(
            number=next(self._numbers),
            content=content.read_bytes(),
            styles=tuple(
                SentStyle(style.picture.read_bytes(), style.weight, style.recipe)
                for style in styles
            ),
            options=options,
        )
        for answer in self._answers(order, stop or threading.Event()):
            if isinstance(answer, Painting):
                return answer
            if isinstance(answer, Refusal):
                raise PictureError(answer.problem, max_pixels=answer.max_pixels)
            on_step(answer)
        raise EngineError("the engine ended without a picture")

    def stylize_clip(self, *_: Any, **__: Any) -> Never:
        """Clips are painted by engines in the bot's own process alone. Raises ClipError."""
        raise ClipError(ClipProblem.TOO_LONG)

    def _answers(self, order: PictureOrder, stop: threading.Event) -> Iterator[Answer]:
        from ray.exceptions import RayError, RayTaskError

        try:
            yield from self._streamed(order, stop)
        except RayTaskError as error:
            if isinstance(error.cause, Exception):
                raise error.cause from None
            raise EngineError(str(error)) from error
        except RayError as error:
            reason = " ".join(str(error).split())
            raise DeviceLostError(f"{type(error).__name__}: {reason}") from error

    def _streamed(self, order: PictureOrder, stop: threading.Event) -> Iterator[Answer]:
        import ray

        answers = self._actor.paint.options(num_returns="streaming").remote(order)
        is_told = False
        while True:
            if stop.is_set() and not is_told:
                self._actor.stop.options(concurrency_group=CONTROL).remote(order.number)
                is_told = True
            ready, _ = ray.wait([answers], timeout=None if is_told else STOP_WITHIN_S)
            if not ready:
                continue
            try:
                reference = next(answers)
            except StopIteration:
                return
            yield ray.get(reference)
