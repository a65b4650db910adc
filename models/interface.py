"""What the chat side and the torch side say to each other; imports no torch.

`app` knows the engine only through this module and `models.pictures`.
"""

from __future__ import annotations

import enum
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from PIL import Image

from models.neighbours.recipe import USUAL_RECIPE, Recipe


class Quality(enum.StrEnum):
    """How much time a picture is worth."""

    DRAFT = "draft"
    """The feed-forward network alone, from a thumbnail to the photo's size."""
    STANDARD = "standard"
    """Painting by neural neighbours, coarse to fine."""
    HIGH = "high"
    """The same with more steps."""


MIN_SIZE_PX = 64
MAX_SIZE_PX = 4096
MIN_STRENGTH, MAX_STRENGTH = 0, 100
MIN_BRUSH, MAX_BRUSH = 0.25, 4.0
MAX_STYLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleOptions:
    """A person's choices for one picture; the same for every engine, chat and command line.

    Raises ValueError for a value out of its range, so that no later line has to check.
    """

    quality: Quality = Quality.STANDARD
    size_px: int = 512
    """Long side of the result, in pixels."""
    strength: int = 70
    """0 is the photo itself, 100 as much style as the engine can give."""
    keep_colors: bool = False
    """Keep the photo's colours: take only the luminance from the painting."""
    keep_faces: bool = True
    """Paint faces so that they stay those persons' own; otherwise as everything else."""
    brush: float = 1.0
    """Scale of the style picture relative to the content: 2 paints with strokes twice as wide."""
    steps: int | None = None
    """Optimiser steps in all; None is what the quality says."""
    seed: int = 0
    """Of the noise in a painting, and of a draft's grain: any whole number."""

    def __post_init__(self) -> None:
        _in_range("size_px", self.size_px, MIN_SIZE_PX, MAX_SIZE_PX)
        _in_range("strength", self.strength, MIN_STRENGTH, MAX_STRENGTH)
        _in_range("brush", self.brush, MIN_BRUSH, MAX_BRUSH)
        if self.steps is not None:
            _in_range("steps", self.steps, 1, 10_000)


def _in_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} must lie between {low} and {high}, not {value}")


@dataclass(frozen=True, slots=True)
class Style:
    """One style picture and its share in a mixture."""

    picture: Path
    weight: float = 1.0
    recipe: Recipe = USUAL_RECIPE
    """How this style is painted best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """What the engine says after every optimiser step."""

    step: int
    """Steps done so far over all scales; 0 is the draft."""
    steps: int
    seconds_spent: float
    seconds_left: float | None
    """None while there is too little to guess from."""
    loss: float | None = None
    picture: Image.Image | None = None
    """Only on the draft and at the milestones (about 1/4, 1/2, 3/4): the picture as it stands."""
    frame: Image.Image | None = None
    """The same at more moments, for a film of how it came about; all that has a picture has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Painting:
    """A finished (or stopped) picture and how it came about."""

    picture: Image.Image
    """RGB, with the photo's shape."""
    options: StyleOptions
    """As they were really used: `size_px` is smaller than asked for after an out-of-memory."""
    steps: int
    seconds: float
    faces: int = 0
    """How many were found in the photo."""
    notes: frozenset[Note] = field(default_factory=frozenset)


class Note(enum.StrEnum):
    """What a person should hear about a painting beside the picture."""

    STOPPED = "stopped"
    """It was stopped on request; the picture is as far as it got."""
    SHRUNK = "shrunk"
    """Memory ran out; it was painted smaller."""
    DIVERGED = "diverged"
    """The optimisation met NaN; the last good picture is delivered."""
    ENLARGED = "enlarged"
    """It was painted smaller than the sheet it is for, and enlarged the rest of the way."""
    NOT_FOR_PRINT = "not_for_print"
    """It could not be enlarged for its sheet; it is as it was painted."""


class EngineError(Exception):
    """The engine can't paint this; the message is one English sentence."""


class DeviceSettingError(EngineError):
    """The settings ask for devices that this machine doesn't have, or not in this way."""


class OutOfMemoryError(EngineError):
    """Even the smallest size did not fit into memory."""


class DeviceLostError(EngineError):
    """The GPU's context is gone (device-side assert): it is of no use before a restart."""


class KilledForMemoryError(DeviceLostError):
    """The process that painted was killed because its machine had no memory left for it."""


class DeviceAwayError(DeviceLostError):
    """Likewise, and not by what was painted: all devices went at once, or it had not begun."""


OnStep = Callable[[StepReport], None]


def ignore_step(_: StepReport) -> None:
    """The `on_step` of those who don't watch."""


_LONE_DEVICES = ("auto", "cpu", "cuda")
_GPU = re.compile(r"cuda:(0|[1-9]\d*)")


def named_devices(setting: str) -> tuple[str, ...]:
    """What a setting of devices names: `auto`, `cpu` or `cuda`, or GPUs such as `cuda:0, cuda:2`.

    `cuda` is every GPU, and `auto` likewise, or the processor where there is none. Whether they are
    there is not looked at. Raises ValueError, one sentence, for anything else and for a device that
    is named twice.
    """
    names = tuple(setting.replace(",", " ").split())
    if len(names) == 1 and names[0] in _LONE_DEVICES:
        return names
    if not names or not all(map(_GPU.fullmatch, names)):
        lone = f"{', '.join(_LONE_DEVICES[:-1])} or {_LONE_DEVICES[-1]}"
        raise ValueError(f"must be {lone} alone, or GPUs such as cuda:0,cuda:2")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"must not name {twice[0]} twice: a device has one worker")
    return names


class Stylizer(Protocol):
    """Paints pictures; blocking, called from one thread at a time."""

    def stylize(
        self,
        content: Path,
        styles: Sequence[Style],
        options: StyleOptions,
        *,
        on_step: OnStep = ignore_step,
        stop: threading.Event | None = None,
    ) -> Painting:
        """Paint `content` in the mixture of `styles`.

        `on_step` is called in this thread after every step and must return at once; once `stop`
        is set, the picture as it stands is returned after the step in hand.

        Raises `PictureError` for a picture that can't be used, `EngineError` else.
        """
        ...
