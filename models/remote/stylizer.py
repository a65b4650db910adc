"""An engine in a Ray cluster, as the bot has it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Never

from models.clips.interface import ClipError, ClipProblem
from models.interface import (
    EngineError,
    OnStep,
    Painting,
    Style,
    StyleOptions,
    ignore_step,
)
from models.remote.link import Call, Driver, is_last
from models.remote.messages import PaintPicture, Stop

STOP_WITHIN_S = 0.05
"""So often it is looked whether to stop; a step is passed on at once."""


class RemoteStylizer:
    """Implements `models.interface.Stylizer` by an engine that a driver has loaded.

    An actor whose process or machine is gone is a DeviceLostError, as a GPU in this machine;
    a cluster that is gone is a DeviceAwayError.
    """

    def __init__(self, driver: Driver, name: str) -> None:
        self._driver = driver
        self._name = name

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
        order = PaintPicture(
            engine=self._name,
            content=content.absolute(),
            styles=_for_another_folder(styles),
            options=options,
        )
        with self._driver.call(order) as call:
            for answer in self._answers(call, stop or threading.Event()):
                if isinstance(answer, Painting):
                    return answer
                on_step(answer)
        raise EngineError("the engine ended without a picture")

    def stylize_clip(self, *_: Any, **__: Any) -> Never:
        """Clips are painted by engines in the bot's own process alone. Raises ClipError."""
        raise ClipError(ClipProblem.TOO_LONG)

    def _answers(self, call: Call, stop: threading.Event) -> Iterator[Any]:
        is_told = False
        while True:
            if stop.is_set() and not is_told:
                call.tell(Stop(engine=self._name))
                is_told = True
            try:
                answer = call.next(timeout_s=None if is_told else STOP_WITHIN_S)
            except TimeoutError:
                continue
            if is_last(answer):
                return
            yield answer


def _for_another_folder(styles: Sequence[Style]) -> tuple[Style, ...]:
    """The driver runs elsewhere."""
    return tuple(replace(style, picture=style.picture.absolute()) for style in styles)
