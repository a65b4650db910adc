"""Small stylizers for tests: real pictures in and out, steps and stop as promised."""

from __future__ import annotations

import abc
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Never

from PIL import Image, ImageOps

from models.interface import Note, OnStep, Painting, StepReport, Style, StyleOptions, ignore_step
from models.pictures.reading import open_picture


@dataclass(frozen=True, slots=True)
class Order:
    """What `models.interface.Stylizer.stylize` is asked for."""

    content: Path
    styles: Sequence[Style]
    options: StyleOptions
    on_step: OnStep
    stop: threading.Event


class PhotoStub(abc.ABC):
    """A stylizer for photos; what it makes of them is up to `paint`."""

    def stylize(
        self,
        content: Path,
        styles: Sequence[Style],
        options: StyleOptions,
        *,
        on_step: OnStep = ignore_step,
        stop: threading.Event | None = None,
    ) -> Painting:
        return self.paint(Order(content, styles, options, on_step, stop or threading.Event()))

    @abc.abstractmethod
    def paint(self, order: Order) -> Painting:
        """As `stylize`."""


class PicturesOnly(PhotoStub):
    """A stylizer that meets no clips."""

    def stylize_clip(self, *_: Any, **__: Any) -> Never:
        raise AssertionError("a clip came to where only pictures were expected")


@dataclass
class Inverter(PicturesOnly):
    """Paints the negative in `steps` steps; each waits for `gate`, if there is one."""

    steps: int = 3
    gate: threading.Semaphore | None = None
    painted: list[Path] = field(default_factory=list)
    faces: int = 0
    """How many it says that it found."""
    shows: bool = False
    """Whether there is a picture with each report."""

    def paint(self, order: Order) -> Painting:
        picture = open_picture(order.content, long_side_px=order.options.size_px)
        open_picture(order.styles[0].picture)
        done = 0
        while done < self.steps and not order.stop.is_set():
            if self.gate is not None and not self.gate.acquire(timeout=0.01):
                continue
            done += 1
            shown = Image.blend(picture, ImageOps.invert(picture), done / self.steps)
            order.on_step(
                StepReport(
                    step=done,
                    steps=self.steps,
                    seconds_spent=0.0,
                    seconds_left=None,
                    picture=shown if self.shows else None,
                )
            )
        self.painted.append(order.content)
        return Painting(
            picture=ImageOps.invert(picture),
            options=order.options,
            steps=done,
            seconds=0.0,
            faces=self.faces,
            notes=frozenset() if done == self.steps else frozenset({Note.STOPPED}),
        )


@dataclass
class Sleeper(PicturesOnly):
    """Takes a job and gives no sign, whatever is asked of it, until it is released."""

    release: threading.Event = field(default_factory=threading.Event)
    taken: threading.Event = field(default_factory=threading.Event)

    def paint(self, order: Order) -> Painting:
        self.taken.set()
        self.release.wait(30)
        order.on_step(StepReport(step=1, steps=1, seconds_spent=0.0, seconds_left=None))
        return Painting(
            picture=open_picture(order.content), options=order.options, steps=1, seconds=0.0
        )


@dataclass
class Breaker(PicturesOnly):
    """Raises the same error for each job whose photo is named in `victims`, else paints."""

    error: Exception
    victims: set[Path]
    painter: Inverter = field(default_factory=Inverter)

    def paint(self, order: Order) -> Painting:
        if order.content in self.victims:
            order.on_step(StepReport(step=1, steps=2, seconds_spent=0.0, seconds_left=None))
            raise self.error
        return self.painter.paint(order)
