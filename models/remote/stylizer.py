"""An engine in a Ray cluster, as the bot has it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.clips.interface import (
    ClipKind,
    ClipLimits,
    OnFrame,
    PaintedClip,
    ignore_frame,
    no_turns,
)
from models.interface import (
    EngineError,
    OnStep,
    Painting,
    Style,
    StyleOptions,
    ignore_step,
)
from models.remote.link import Call, Driver, is_last
from models.remote.messages import PaintClip, PaintPicture, Stop

STOP_WITHIN_S = 0.05
"""So often it is looked whether to stop; a step is passed on at once."""


class RemoteStylizer:
    """Implements `Stylizer` and `ClipStylizer` by an engine that a driver has loaded.

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

    def stylize_clip(
        self,
        source: Path,
        styles: Sequence[Style],
        options: StyleOptions,
        *,
        output: Path,
        kind: ClipKind,
        limits: ClipLimits,
        on_frame: OnFrame = ignore_frame,
        between_frames: Callable[[], None] = no_turns,
        stop: threading.Event | None = None,
        cancel: threading.Event | None = None,
    ) -> PaintedClip:
        """As in `ClipStylizer`.

        `between_frames` is called while the clip goes on: what it has painted by this same engine
        waits there for the end of the frame in hand, and the clip's next frame for it.
        """
        order = PaintClip(
            engine=self._name,
            source=source.absolute(),
            styles=_for_another_folder(styles),
            options=options,
            output=output.absolute(),
            kind=kind,
            limits=limits,
        )
        with self._driver.call(order) as call:
            for answer in self._answers(call, stop or threading.Event(), cancel):
                if isinstance(answer, PaintedClip):
                    return replace(answer, path=output)
                on_frame(answer)
                if answer.frame < answer.frames:
                    between_frames()
        raise EngineError("the engine ended without a clip")

    def _answers(
        self, call: Call, stop: threading.Event, cancel: threading.Event | None = None
    ) -> Iterator[Any]:
        told: Stop | None = None
        while True:
            if stop.is_set():
                is_unwanted = cancel is not None and cancel.is_set()
                word = Stop(engine=self._name, cancel=is_unwanted)
                if word != told:
                    call.tell(word)
                    told = word
            try:
                answer = call.next(timeout_s=STOP_WITHIN_S)
            except TimeoutError:
                continue
            if is_last(answer):
                return
            yield answer


def _for_another_folder(styles: Sequence[Style]) -> tuple[Style, ...]:
    """The driver runs elsewhere."""
    return tuple(replace(style, picture=style.picture.absolute()) for style in styles)
