"""From optimiser steps to the reports that people see."""

from __future__ import annotations

import time
from collections.abc import Callable

from PIL import Image
from torch import Tensor

from models.interface import OnStep, StepReport
from models.neighbours.paint import Step

_MILESTONES = (0.25, 0.5, 0.75)
_FRAMES = 24
"""So many frames from the draft to the end, or as many as there are steps."""
_STEPS_TO_GUESS = 3


class Progress:
    """Counts steps, guesses the time left, and shows the picture at the milestones.

    Milestones and time go by the share of the work and not by steps: a step at the finest scale
    takes many times as long as one at the coarsest.
    """

    def __init__(
        self,
        on_step: OnStep,
        *,
        steps: int,
        started: float,
        finish: Callable[[Tensor], Image.Image],
    ) -> None:
        """`started` is a `time.perf_counter()`; `finish` makes a picture of `Step.image`."""
        self._on_step = on_step
        self._steps = steps
        self._started = started
        self._finish = finish
        self._begun = time.perf_counter()
        self._milestones = list(_MILESTONES)
        self._frames = 0
        self.done = 0

    def draft(self, image: Tensor) -> None:
        """Report the draft as step 0."""
        picture = self._finish(image)
        self._report(picture=picture, frame=picture, seconds_left=None, loss=None)

    def begin(self) -> None:
        """The first step comes now: what went before says nothing about the steps' pace."""
        self._begun = time.perf_counter()

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.done == self._steps

    def step(self, step: Step) -> None:
        """Report one optimiser step."""
        self.done += 1
        reached = [mark for mark in self._milestones if step.share_done >= mark]
        self._milestones = [mark for mark in self._milestones if mark not in reached]
        frames = int(step.share_done * _FRAMES)
        is_shown = bool(reached) and not self.finished
        is_kept = is_shown or (frames > self._frames and not self.finished)
        self._frames = frames
        frame = self._finish(step.image) if is_kept else None
        self._report(
            picture=frame if is_shown else None,
            frame=frame,
            seconds_left=self._seconds_left(step.share_done),
            loss=step.loss,
        )

    def _seconds_left(self, share_done: float) -> float | None:
        if self.done < _STEPS_TO_GUESS:
            return None
        return (time.perf_counter() - self._begun) * (1 / share_done - 1)

    def _report(
        self,
        *,
        picture: Image.Image | None,
        frame: Image.Image | None,
        seconds_left: float | None,
        loss: float | None,
    ) -> None:
        self._on_step(
            StepReport(
                step=self.done,
                steps=self._steps,
                seconds_spent=time.perf_counter() - self._started,
                seconds_left=seconds_left,
                loss=loss,
                picture=picture,
                frame=frame,
            )
        )
