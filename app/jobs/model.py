"""What a job is. `queue` says how it waits, `running.worker` how it runs, `repository` where it is
stored.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from models.clips.interface import ClipFacts, ClipKind, ClipLimits, ClipNote
from models.interface import Note, StyleOptions

JobNote = Note | ClipNote
"""What its owner should hear about a painting, or a painted clip."""


class JobState(enum.StrEnum):
    """Where a job stands; it is in the database before the person hears of it."""

    WAITING = "waiting"
    """Accepted, in the queue."""
    RUNNING = "running"
    """In the GPU thread. After a crash it is WAITING again, with one attempt more."""
    PAINTED = "painted"
    """The result lies on disk and is not delivered yet."""
    DELIVERED = "delivered"
    """Telegram confirmed the result."""
    CANCELLED = "cancelled"
    """Thrown away on request, or its owner has left (blocked the bot)."""
    FAILED = "failed"
    """It can't be painted; its owner has been told, or will be as soon as that works."""
    SET_ASIDE = "set_aside"
    """It took the process down too often and isn't tried again."""

    DELETED = "deleted"
    """Its owner had the result and its files deleted; the row remembers that it was there."""

    @property
    def is_open(self) -> bool:
        """Something is still owed to the person."""
        return self in {JobState.WAITING, JobState.RUNNING, JobState.PAINTED}


class Delivery(enum.StrEnum):
    """How a person likes to get the result."""

    PHOTO = "photo"
    FILE = "file"


class PrintSize(enum.StrEnum):
    """A sheet of paper that a painting is to fill at `app.pictures.prints.DPI`."""

    A4 = "a4"
    A3 = "a3"


class Failure(enum.StrEnum):
    """Why a job failed; the bot has a sentence for each."""

    BAD_PICTURE = "bad_picture"
    BAD_CLIP = "bad_clip"
    PICTURE_GONE = "picture_gone"
    OUT_OF_MEMORY = "out_of_memory"
    STYLE_GONE = "style_gone"
    CRASHED_TOO_OFTEN = "crashed_too_often"
    HUNG = "hung"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class StyleChoice:
    """One style of a job: a preset by its slug, or a person's own picture."""

    picture: Path
    preset: str | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleAdjustments:
    """What the buttons change of a style's hand, to be kept for the next photo."""

    strength: int
    brush: float
    keep_colors: bool
    keep_faces: bool = True

    @classmethod
    def of(cls, options: StyleOptions) -> Self:
        return cls(
            strength=options.strength,
            brush=options.brush,
            keep_colors=options.keep_colors,
            keep_faces=options.keep_faces,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """What is known of a moving picture that is to be painted."""

    kind: ClipKind
    frames: int
    """To be painted; those of a quick clip may be fewer than it has."""
    seconds: float
    """How long it is."""
    width_px: int
    height_px: int

    @classmethod
    def of(cls, facts: ClipFacts, kind: ClipKind, limits: ClipLimits) -> Self:
        return cls(
            kind=kind,
            frames=facts.frames_to_paint(limits),
            seconds=facts.seconds,
            width_px=facts.width_px,
            height_px=facts.height_px,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """What a router hands in: everything of a job but what the queue itself decides."""

    origin: str
    """The update (and item) that asked for it, unique per bot: the same update makes one job."""
    user_id: int
    chat_id: int
    language: str
    content: Path
    """The original photo or clip, in the data folder; never painted over."""
    clip: Clip | None = None
    """What `content` is if it moves; of a photo None."""
    styles: tuple[StyleChoice, ...]
    options: StyleOptions
    delivery: Delivery = Delivery.PHOTO
    print_size: PrintSize | None = None
    """The sheet that the result is enlarged for."""
    is_trial: bool = False
    """It shows an admin a new style, which is then kept or dropped."""
    album: str | None = None
    """Jobs of one album share this name and come back as one album."""
    album_size: int = 1
    thread_id: int | None = None
    """The forum topic the request came from."""
    reply_to: int | None = None
    """The message the status message answers (groups)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A row of the database. Changed only by the repository, which hands out a new one."""

    id: int
    request: JobRequest
    state: JobState = JobState.WAITING
    attempts: int = 0
    """How often it was started; counted before the work begins."""
    created_at: float
    """Unix seconds, like the two below."""
    started_at: float | None = None
    finished_at: float | None = None
    seconds: float | None = None
    """What painting took."""
    result: Path | None = None
    faces: int = 0
    """How many the painter found in the photo."""
    frames: int = 0
    """How many were kept of how it came about, for a film."""
    notes: frozenset[JobNote] = frozenset()
    failure: Failure | None = None
    allowance_left: int | None = None
    """How many more its owner may order in 24 hours; known when it is accepted, and not stored."""
    told: bool = False
    """Whether its owner has heard of the failure."""
    result_message_id: int | None = None
    """The message in its chat that shows the result."""
    result_file_id: str | None = None
    """Telegram's own copy of it: a photo's, if `result_is_photo`, else a file's."""
    result_is_photo: bool = False

    @property
    def clip_frames(self) -> int | None:
        """How many frames are to be painted; None for a photo."""
        return None if self.request.clip is None else self.request.clip.frames

    def belongs_to(self, user_id: int) -> bool:
        return self.request.user_id == user_id
