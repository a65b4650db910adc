"""One bar over all the pictures of a command."""

from __future__ import annotations

import os
import sys
from typing import Any, Self

from tqdm import tqdm

from app.commands.errors import complain
from models.interface import StepReport

_OF_SEVERAL = "{desc} {percentage:3.0f}%|{bar}| [{elapsed}<{remaining}]"


class ProgressBar:
    """On stderr, and only if that is a terminal: logs and pipes need no bar.

    Of one picture it counts the steps, and a draft, which has none, shows no bar. Of several it
    counts pictures, each of them growing with its steps.
    """

    def __init__(self, pictures: int, *, unit: str = "step") -> None:
        """`unit` is what is counted of one picture."""
        self._pictures = pictures
        self._unit = unit
        self._done = 0
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> Self:
        if self._pictures > 1:
            self._bar = _bar(total=self._pictures, bar_format=_OF_SEVERAL)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def begin(self, name: str) -> None:
        """The next picture is begun."""
        if self._pictures > 1 and self._bar is not None:
            self._bar.set_description_str(f"{self._done + 1} of {self._pictures}: {name}")

    def show(self, report: StepReport) -> None:
        """The `on_step` of the picture in hand."""
        if self._pictures > 1:
            self._move_to(self._done + report.step / report.steps)
            return
        if self._bar is None:
            self._bar = _bar(total=report.steps, unit=self._unit)
        if report.loss is not None:
            self._bar.set_postfix(loss=f"{report.loss:.3g}", refresh=False)
        self._move_to(report.step)

    def end(self) -> None:
        """The picture in hand is finished, or given up."""
        self._done += 1
        if self._pictures > 1:
            self._move_to(self._done)

    def print(self, line: str) -> None:
        """A line on stdout, above the bar."""
        with tqdm.external_write_mode():
            print(line, flush=True)

    def complain(self, message: str) -> None:
        """A line on stderr, above the bar."""
        with tqdm.external_write_mode(file=sys.stderr):
            complain(message)

    def _move_to(self, position: float) -> None:
        if self._bar is not None:
            self._bar.update(position - self._bar.n)


def _bar(**how: Any) -> tqdm[Any]:
    if not sys.stderr.isatty() or any(os.get_terminal_size(sys.stderr.fileno())):
        return tqdm(file=sys.stderr, disable=None, dynamic_ncols=True, **how)
    # A terminal that doesn't know its size (a container's) would get a bar of no width.
    return tqdm(file=sys.stderr, ncols=80, nrows=24, **how)
