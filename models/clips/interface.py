"""What the chat side and the torch side say to each other about clips; imports no torch.

A *clip* is a moving picture: an animation, a video, a video note. `models.clips.probing.probe`
looks at a file, `check_clip` says whether it may be painted, a `ClipStylizer` paints it.
"""

from __future__ import annotations

import enum
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from PIL import Image

from models.interface import Style, StyleOptions
from models.pictures.problems import MAX_RATIO, MIN_SIDE_PX
from models.pictures.sizes import fit_size


class ClipKind(enum.StrEnum):
    """What a painted clip is to be; each is H.264 in MP4 with its index in front."""

    ANIMATION = "animation"
    """Without sound; players loop it."""
    VIDEO = "video"
    """With the sound of its source."""
    VIDEO_NOTE = "video_note"
    """Square, with sound, at most `MAX_NOTE_S`: what is shown round. The middle is cut out."""


MAX_NOTE_S = 60.0
"""Telegram takes no longer video note."""
MAX_CLIP_PIXELS = 10_000_000
"""Of a frame: 4K (4096 x 2304), and not 8K."""
_QUICK = 1.2
_GRACE_S = 0.25
"""What cameras call 15 seconds is a frame or two more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipLimits:
    """What an owner lets people have painted; checked before the work begins."""

    seconds: float = 15.0
    frames_per_s: float = 30.0
    """Of a quicker clip so many frames are painted, each at its own time."""
    out_bytes: int = 50_000_000
    """Of the painted file: bit rate, then size are chosen to fit."""


class ClipProblem(enum.StrEnum):
    """Why a file can't be painted as a clip."""

    MISSING = "missing"
    NOT_A_CLIP = "not_a_clip"
    """Nothing that can be read as a moving picture."""
    NO_PICTURE = "no_picture"
    """Sound alone."""
    STILL = "still"
    """One frame: a photo."""
    DAMAGED = "damaged"
    """Broken, cut off, or without a frame."""
    TOO_LONG = "too_long"
    """`ClipError.limit`: seconds."""
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    TOO_NARROW = "too_narrow"
    TOO_MUCH_WORK = "too_much_work"
    """It takes too long, or too much memory, to read."""


_SENTENCES = {
    ClipProblem.MISSING: "There is no file that I can read; please check its name.",
    ClipProblem.NOT_A_CLIP: (
        "This is not a clip that I can read; please send an MP4, MOV, WEBM, GIF or moving WEBP."
    ),
    ClipProblem.NO_PICTURE: "This file has sound but no picture; please send a video.",
    ClipProblem.STILL: "This clip has only one frame; please send it as a photo.",
    ClipProblem.DAMAGED: "The clip is damaged or not complete; please send it once more.",
    ClipProblem.TOO_LONG: "The clip is too long; please send one of at most {limit:g} seconds.",
    ClipProblem.TOO_MANY_PIXELS: "The clip is too large; please send one in 4K or smaller.",
    ClipProblem.TOO_SMALL: (
        f"The clip is too small; please send one of at least {MIN_SIDE_PX} x {MIN_SIDE_PX} pixels."
    ),
    ClipProblem.TOO_NARROW: (
        "The clip is too long and narrow; please crop it so that its long side is "
        f"at most {MAX_RATIO} times the short one."
    ),
    ClipProblem.TOO_MUCH_WORK: (
        "The clip is stored in a way that takes too long to read; "
        "please save it as an ordinary MP4."
    ),
}


class ClipError(Exception):
    """A clip that can't be used; `str()` is one English sentence that says what to send."""

    def __init__(self, problem: ClipProblem, *, limit: float = 0.0) -> None:
        self.problem = problem
        self.limit = limit
        """Seconds, for TOO_LONG."""
        super().__init__(_SENTENCES[problem].format(limit=limit))

    def __reduce__(self) -> tuple[Callable[..., ClipError], tuple[ClipProblem, float]]:
        """To be pickled: Python's own way knows the sentence alone."""
        return _clip_error, (self.problem, self.limit)


def _clip_error(problem: ClipProblem, limit: float) -> ClipError:
    return ClipError(problem, limit=limit)


class ClipCancelledError(Exception):
    """`cancel` was set; nothing is left at `output`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """What a file is, as the clip will be seen (upright, with square pixels)."""

    seconds: float
    """From the first frame's beginning to the last one's end."""
    frames: int
    width_px: int
    height_px: int
    sound_bytes: int
    """Of all that is heard; 0 without sound."""
    container: str
    """FFmpeg's or Pillow's name of the format, such as `mov,mp4,m4a,3gp,3g2,mj2` or `gif`."""

    @property
    def has_sound(self) -> bool:
        """Whether there is something to hear."""
        return self.sound_bytes > 0

    @property
    def frames_per_s(self) -> float:
        """On average: frames may last differently long."""
        return self.frames / self.seconds if self.seconds else 0.0

    def frames_to_paint(self, limits: ClipLimits) -> int:
        """About how many frames are painted; what a frame takes times this is the time."""
        if not self.is_quick(limits):
            return self.frames
        return min(self.frames, math.ceil(self.seconds * limits.frames_per_s))

    def is_quick(self, limits: ClipLimits) -> bool:
        """Whether only some of the frames are painted.

        With a fifth more than is granted all are: to leave out one here and there would be seen.
        """
        return self.frames_per_s > _QUICK * limits.frames_per_s

    def painted_size(self, kind: ClipKind, size_px: int) -> tuple[int, int]:
        """(width, height) of the painted clip with a long side of `size_px`: even, as H.264 wants.

        `PaintedClip` says what it really was: bytes or memory may make it smaller.
        """
        shape = (1, 1) if kind is ClipKind.VIDEO_NOTE else (self.width_px, self.height_px)
        width, height = fit_size(shape, size_px)
        return max(2, width // 2 * 2), max(2, height // 2 * 2)


def check_clip(facts: ClipFacts, kind: ClipKind, limits: ClipLimits) -> None:
    """Whether a clip of these facts may be painted. Raises ClipError."""
    short, long = sorted((facts.width_px, facts.height_px))
    if short < MIN_SIDE_PX:
        raise ClipError(ClipProblem.TOO_SMALL)
    if long > MAX_RATIO * short:
        raise ClipError(ClipProblem.TOO_NARROW)
    if long * short > MAX_CLIP_PIXELS:
        raise ClipError(ClipProblem.TOO_MANY_PIXELS)
    if facts.frames < 2:
        raise ClipError(ClipProblem.STILL)
    most_s = min(limits.seconds, MAX_NOTE_S) if kind is ClipKind.VIDEO_NOTE else limits.seconds
    if facts.seconds > most_s + _GRACE_S:
        raise ClipError(ClipProblem.TOO_LONG, limit=most_s)


class ClipNote(enum.StrEnum):
    """What a person should hear about a painted clip beside the clip."""

    STOPPED = "stopped"
    """It was stopped on request; it ends where it was stopped."""
    SHRUNK = "shrunk"
    """Memory ran out; it was painted smaller."""
    SIZE_REDUCED = "size_reduced"
    """In the size that was asked for it would have been too large a file."""
    SOUND_LEFT_OUT = "sound_left_out"
    """The source's sound can't be copied to an MP4."""
    CUT_OFF = "cut_off"
    """The source could not be read to its end; it ends where that was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipReport:
    """What the engine says after every painted frame."""

    frame: int
    """Frames painted so far."""
    frames: int
    """In all, as well as that is known beforehand."""
    seconds_spent: float
    """Without those that others had the GPU for."""
    seconds_left: float | None
    """None while there is too little to guess from."""
    picture: Image.Image | None = None
    """Only on the first frame: it, painted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintedClip:
    """A painted (or stopped) clip and how it came about."""

    path: Path
    kind: ClipKind
    width_px: int
    height_px: int
    seconds_long: float
    """What a player shows as its length."""
    frames: int
    has_sound: bool
    options: StyleOptions
    """As they were really used: `size_px` may be smaller than asked for."""
    seconds: float
    """That painting took, without those that others had the GPU for."""
    notes: frozenset[ClipNote] = field(default_factory=frozenset)


OnFrame = Callable[[ClipReport], None]


def ignore_frame(_: ClipReport) -> None:
    """The `on_frame` of those who don't watch."""


def no_turns() -> None:
    """The `between_frames` where nobody else wants the GPU."""


class ClipStylizer(Protocol):
    """Paints clips; blocking, called from the thread that paints pictures."""

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
        """Paint the clip `source` in the mixture of `styles` and write it to `output`.

        `output` is there whole or not at all; its folder must exist. Of `options` the quality and
        the steps play no part: every frame is painted by the draft network.

        `on_frame` is called in this thread after every frame and must return at once.
        `between_frames` is called in this thread before every frame but the first and may take its
        time: to paint another's photo with the same engine, say. Once `stop` is set, what is
        painted so far becomes the clip, the frame in work (the first one in any case) included;
        once `cancel` is set, nothing is written and ClipCancelledError is raised.

        Raises ClipError for a source that can't be used, PictureError for such a style picture,
        OSError for an `output` that can't be written, `EngineError` else.
        """
        ...
