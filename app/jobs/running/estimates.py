"""Who waits how long: worked out from what jobs of that kind really took here."""

from __future__ import annotations

import functools
import math
from collections import defaultdict
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
        views.extend(
            JobView(each.job, None, self._seconds_left(each))
            for each in (run.with_guest() if run is not None else ())
            if each.job.belongs_to(user_id) and each.ends_as(RunOutcome.DELIVER)
        )
        views.extend(view for view in self.waiting(run) if view.job.belongs_to(user_id))
        return views

    def waiting(self, run: JobRun | None) -> Iterator[JobView]:
        """All that wait, in the order they will be painted.

        A photo waits for photos, and for clips of its own person; other people's let it in.
        """
        # Worked out once for each kind: a long queue has few, and the event loop waits here.
        estimate_s = functools.cache(self._timings.estimate_s)
        pictures_s = 0.0
        clips_s: defaultdict[int, float] = defaultdict(float)
        """By person."""
        for each in run.with_guest() if run is not None else ():
            if each.job.request.clip is not None:
                clips_s[each.job.request.user_id] = self._seconds_left(each)
            else:
                pictures_s += self._seconds_left(each)
        for place, job in enumerate(self._queue.waiting(), start=1):
            owner, takes_s = job.request.user_id, estimate_s(job.request.options, job.clip_frames)
            if job.request.clip is not None:
                clips_s[owner] += takes_s
                yield JobView(job, place, pictures_s + sum(clips_s.values()))
            else:
                pictures_s += takes_s
                yield JobView(job, place, pictures_s + clips_s[owner])

    def minutes_until_room(self, count: int, run: JobRun | None) -> int:
        """Until so many more jobs may wait; at least 1.

        The last of the missing places is free when the job before it has been painted.
        """
        missing = max(1, count - self._queue.room())
        ahead = self._queue.waiting()[: missing - 1]
        seconds = sum(map(self._estimate_s, ahead))
        return max(1, math.ceil((self._seconds_left(run) + seconds) / 60))

    def _seconds_left(self, run: JobRun | None) -> float:
        if run is None:
            return 0.0
        return run.seconds_left(self._estimate_s(run.job))

    def _estimate_s(self, job: Job) -> float:
        return self._timings.estimate_s(job.request.options, job.clip_frames)
