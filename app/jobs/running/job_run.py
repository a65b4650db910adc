"""The job that is being painted: what is known of it, and how it is to end."""

from __future__ import annotations

import enum
import threading
import time
from dataclasses import dataclass, field

from app.jobs.model import Job
from app.jobs.running.frame_recorder import FrameRecorder
from models.interface import StepReport


class RunOutcome(enum.Enum):
    """What is to become of the running job's picture."""

    DELIVER = enum.auto()
    THROW_AWAY = enum.auto()
    PUT_BACK = enum.auto()


@dataclass(slots=True)
class JobRun:
    """A job from the moment it leaves the queue until its picture is on the disk."""

    job: Job
    outcome: RunOutcome = RunOutcome.DELIVER
    stop: threading.Event = field(default_factory=threading.Event)
    cancel: threading.Event = field(default_factory=threading.Event)
    """What is painted so far is not wanted; set along with `stop`."""
    guest: JobRun | None = None
    """The picture that is painted while this clip waits between two of its frames."""
    next_turn_at: float = float("-inf")
    """When the clip lets the next guest in, by `time.monotonic`."""
    report: StepReport | None = None
    began: float = field(default_factory=time.monotonic)
    frames: FrameRecorder = field(default_factory=FrameRecorder)
    last_sign: float = field(default_factory=time.monotonic)
    """When the painter was last known to be alive; written by the GPU thread."""

    def end(self, outcome: RunOutcome) -> None:
        """Stop painting within one step; the first outcome holds unless the job is cancelled."""
        if outcome is RunOutcome.THROW_AWAY or not self.stop.is_set():
            self.outcome = outcome
        if self.outcome is not RunOutcome.DELIVER:
            self.cancel.set()
        self.stop.set()

    def with_guest(self) -> list[JobRun]:
        """All of which the painting has begun."""
        return [self] if self.guest is None else [self, self.guest]

    def ends_as(self, outcome: RunOutcome) -> bool:
        return self.outcome is outcome

    def seconds_spent(self) -> float:
        return time.monotonic() - self.began

    def seconds_left(self, estimate_s: float) -> float:
        """By the painter's own word if it has one, else by what such jobs take."""
        if self.report is not None and self.report.seconds_left is not None:
            return self.report.seconds_left
        return max(0.0, estimate_s - self.seconds_spent())
