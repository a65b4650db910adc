"""The job that is being painted: what is known of it, and how it is to end."""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable
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
    """When the clip lets the next guest in, by `clock`."""
    report: StepReport | None = None
    frames: FrameRecorder = field(default_factory=FrameRecorder)
    clock: Callable[[], float] = time.monotonic
    _began: float = field(init=False)
    _last_sign: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self._last_sign = self.clock()

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
        return self.clock() - self._began

    def give_sign(self) -> None:
        """The painter is alive; called in the GPU thread, too."""
        self._last_sign = self.clock()

    def silent_s(self) -> float:
        """Since the painter's last sign; a clip is not silent while a guest is painted."""
        return 0.0 if self.guest is not None else self.clock() - self._last_sign

    def seconds_left(self, estimate_s: float) -> float:
        """By the painter's own word if it has one, else by what such jobs take."""
        if self.report is not None and self.report.seconds_left is not None:
            return self.report.seconds_left
        return max(0.0, estimate_s - self.seconds_spent())
