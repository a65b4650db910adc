"""What the bot asks of jobs (`JobService`) and what it is told (`Reporter`); no Telegram."""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.jobs.model import Failure, Job, JobRequest
from models.interface import StepReport


class RetryLater(Exception):  # noqa: N818 - it isn't an error but an answer
    """Not delivered now; worth another try after so many seconds."""

    def __init__(self, after_s: float) -> None:
        super().__init__(f"try again in {after_s:.0f} s")
        self.after_s = after_s


class RecipientGone(Exception):  # noqa: N818 - likewise
    """The person has blocked the bot or the chat is gone: nothing will ever arrive there."""


class WorkerState(enum.StrEnum):
    """What a worker does in this moment."""

    IDLE = "idle"
    PAINTING = "painting"
    LOST = "lost"
    """Its device is gone; this worker paints no more in this process."""
    HUNG = "hung"
    """Its device answers no more; likewise."""

    @property
    def is_at_work(self) -> bool:
        return self in {WorkerState.IDLE, WorkerState.PAINTING}


class Reporter(Protocol):
    """Told of every transition of a job, in the event loop.

    None but `deliver`, `deliver_album` and `failed` may raise, and those only `RetryLater` and
    `RecipientGone`; the queue tries again later or drops the job.
    """

    def waiting(self, job: Job, place: int, seconds_left: float) -> None:
        """The place in the queue changed; 1 is the next to be painted. Returns at once.

        `seconds_left` is until it is finished, by what such jobs take here.

        First told when the job is accepted, before `submit` returns; not told after a restart
        until the place changes.
        """
        ...

    def started(self, job: Job) -> None:
        """Painting begins. Returns at once."""
        ...

    def stepped(self, job: Job, report: StepReport) -> None:
        """One optimiser step is done. Returns at once: the painter never waits for the chat."""
        ...

    def painting_ended(self, job: Job) -> None:
        """Whatever came of it: a picture, a failure, or nothing. Returns at once."""
        ...

    async def deliver(self, job: Job) -> None:
        """Bring `job.result` to the person; returns when Telegram has confirmed it."""
        ...

    async def deliver_album(self, jobs: list[Job]) -> None:
        """Bring the results of one album, in the order of the photos, likewise."""
        ...

    async def failed(self, job: Job, failure: Failure) -> None:
        """Tell the person in one friendly sentence why there is no picture.

        A job in the state SET_ASIDE is the admins' business too.
        """
        ...

    def cancelled(self, job: Job) -> None:
        """It was thrown away; clean up its status message. Returns at once.

        Also told when the chat is gone or its owner is forgotten: then nothing can be sent.
        """
        ...

    def worker_ended(
        self, job: Job, device: str, state: WorkerState, *, workers_left: int, returns: bool
    ) -> None:
        """A worker paints no more since it had this job; the others go on. Returns at once.

        `returns` where its device paints again as soon as it can, without a restart. Else it is not
        told of the last one: then the process ends. It is the admins' business.
        """
        ...

    def painting_paused(self) -> None:
        """Nobody is left to paint; jobs wait until somebody is there again. Returns at once."""
        ...

    def painting_resumed(self, device: str) -> None:
        """Somebody is there again. Returns at once."""
        ...

    async def next_unreachable_chat(self) -> int:
        """Wait for a chat that refused a status message for good: its open jobs are cancelled.

        A `RecipientGone` from `deliver` or `failed` does the same by itself.
        """
        ...


@dataclass(frozen=True, slots=True)
class StatusMessageId:
    """Where a job's, or an album's, progress is shown."""

    message_id: int
    has_picture: bool
    """A text is edited otherwise than a caption."""


@dataclass(frozen=True, slots=True)
class ResultMessage:
    """Where a job's result stands in its chat, and how it can be sent again."""

    message_id: int
    file_id: str | None
    """None if an earlier process saw it arrive."""
    is_photo: bool
    """Otherwise it went as a file."""


class StatusMessageStore(Protocol):
    """Where the messages of jobs are remembered, so that a restart finds them."""

    async def status_message(self, job: Job) -> StatusMessageId | None:
        """That of the job, or of its album."""
        ...

    async def set_status_message(self, job: Job, shown: StatusMessageId) -> None:
        """For the job, or all of its album."""
        ...

    async def set_result_message(self, job: Job, shown: ResultMessage) -> None:
        """The message that shows the job's result, also where it came with an album."""
        ...


@dataclass(frozen=True, slots=True)
class JobView:
    """One line of /queue."""

    job: Job
    place: int | None
    """None while it is being painted (or delivered)."""
    seconds_left: float
    """Until it is finished, worked out from what jobs of that size really took here."""


class QueueFull(Exception):  # noqa: N818 - an answer
    """No room for another job; `minutes` is when there likely will be."""

    def __init__(self, minutes: int) -> None:
        super().__init__(f"the queue is full for about {minutes} min")
        self.minutes = minutes


class TooManyJobs(Exception):  # noqa: N818 - an answer
    """This person has as many open jobs as one may have."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"at most {limit} jobs per person")
        self.limit = limit


class DailyLimitReached(Exception):  # noqa: N818 - an answer
    """This person has had as many pictures in 24 hours as one may have."""

    def __init__(self, limit: int, wait_s: float) -> None:
        super().__init__(f"at most {limit} pictures in 24 hours")
        self.limit = limit
        self.wait_s = wait_s
        """Until what was asked for now may be asked for again."""


class DiskFull(Exception):  # noqa: N818 - an answer
    """There is no room on the disk for another result."""


class ClosingDown(Exception):  # noqa: N818 - an answer
    """The process is about to end and takes no new jobs."""


JobRefused = (QueueFull, TooManyJobs, DailyLimitReached, DiskFull, ClosingDown)
"""All that `submit` may answer."""


class JobService(Protocol):
    """All that routers call about jobs. `app.jobs.service.LocalJobService` implements it."""

    async def submit(self, *requests: JobRequest) -> list[Job]:
        """Write the jobs down (durably) and queue them, all or none.

        A request whose origin is known already gives the job that it made the first time.
        Raises one of `JobRefused`.
        """
        ...

    async def stop(self, job_id: int, user_id: int) -> bool:
        """Good enough: deliver what there is. False if it isn't this person's running job."""
        ...

    async def cancel(self, job_id: int, user_id: int) -> bool:
        """Throw it away, waiting or running. False if it isn't this person's open job."""
        ...

    async def get(self, job_id: int) -> Job | None: ...

    async def together(self, job: Job) -> list[Job]:
        """All that were ordered as one album, in the order of the photos; or the job alone."""
        ...

    async def past_results(
        self, user_id: int, *, chat_id: int | None = None, limit: int
    ) -> list[Job]:
        """A person's delivered results whose files are still there, the newest first.

        With `chat_id` only those of that chat.
        """
        ...

    async def views(self, user_id: int) -> list[JobView]:
        """A person's open jobs in the order they'll be painted."""
        ...

    async def drop_chat(self, chat_id: int) -> None:
        """Nothing will reach this chat any more: cancel its open jobs, free the GPU at once.

        Returns when they are; unreachable chats that the reporter finds are dropped by themselves.
        """
        ...

    async def delete(
        self, jobs: Sequence[Job], user_id: int, *, keep: Collection[Path] = ()
    ) -> list[Job]:
        """Delete delivered results of a person, now: their files and what the rows say of them.

        Pictures that another job needs stay, and those in `keep`. Returns the jobs that it was
        done to, as they were.
        """
        ...

    async def forget(self, user_id: int) -> None:
        """Cancel and delete everything about a person, now: pictures, then rows.

        Raises OSError and sqlite3.Error; then it may be tried again.
        """
        ...

    async def withdraw(self, pictures: Collection[Path]) -> None:
        """Fail what is still to be painted of these pictures; finished paintings stay."""
        ...

    async def stats(self) -> Stats: ...

    @property
    def is_paused(self) -> bool:
        """Nobody is there to paint; jobs wait, and it goes on by itself."""
        ...


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker, for /stats and the metrics endpoint."""

    device: str
    """As torch names it, such as `cuda:0`."""
    state: WorkerState
    painted: int
    """Pictures since the process began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """For /stats and the metrics endpoint."""

    by_state: dict[str, int]
    waiting: int
    seconds_by_quality: dict[str, float]
    """Median of the last finished jobs."""
    failures: dict[str, int]
    disk_bytes: int
    workers: tuple[WorkerView, ...] = ()
    is_paused: bool = False
    """Nobody is there to paint, and it goes on by itself."""
