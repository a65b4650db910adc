"""Who waits how long: worked out from what jobs of that kind really took here."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator

from app.jobs.interface import JobView
from app.jobs.model import Job, JobState
from app.jobs.queue import JobQueue
from app.jobs.running.job_run import JobRun, RunOutcome
from app.jobs.running.timings import Timings


class WaitEstimates:
    """Looks at the queue and the measured times; changes nothing."""

    def __init__(self, queue: JobQueue, timings: Timings) -> None:
        self._queue = queue
        self._timings = timings

    def views(self, user_id: int, open_jobs: Iterable[Job], run: JobRun | None) -> list[JobView]:
        """A person's jobs in the order they will be finished; `open_jobs` as they are stored."""
        views = [JobView(job, None, 0.0) for job in open_jobs if job.state is JobState.PAINTED]
        if run is not None and run.job.belongs_to(user_id) and run.ends_as(RunOutcome.DELIVER):
            views.append(JobView(run.job, None, self._seconds_left(run)))
        views.extend(view for view in self.waiting(run) if view.job.belongs_to(user_id))
        return views

    def waiting(self, run: JobRun | None) -> Iterator[JobView]:
        """All that wait, in the order they will be painted."""
        # Worked out once for each kind: a long queue has few, and the event loop waits here.
        estimate_s = functools.cache(self._timings.estimate_s)
        ahead_s = self._seconds_left(run)
        for place, job in enumerate(self._queue.waiting(), start=1):
            ahead_s += estimate_s(job.request.options)
            yield JobView(job, place, ahead_s)

    def minutes_until_room(self, count: int, run: JobRun | None) -> int:
        """Until so many more jobs may wait; at least 1.

        The last of the missing places is free when the job before it has been painted.
        """
        missing = max(1, count - self._queue.room())
        ahead = self._queue.waiting()[: missing - 1]
        seconds = sum(self._timings.estimate_s(job.request.options) for job in ahead)
        return max(1, math.ceil((self._seconds_left(run) + seconds) / 60))

    def _seconds_left(self, run: JobRun | None) -> float:
        if run is None:
            return 0.0
        return run.seconds_left(self._timings.estimate_s(run.job.request.options))
