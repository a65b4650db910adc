"""Who waits how long: worked out from what jobs of that kind really took here."""

from __future__ import annotations

import functools
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from app.jobs.interface import JobView
from app.jobs.model import Job, JobState
from app.jobs.queue import JobQueue
from app.jobs.running.job_run import JobRun, RunOutcome
from app.jobs.running.timings import Timings

Runs = Sequence[JobRun | None]
"""What each worker paints in this moment; None for one that is idle."""


class WaitEstimates:
    """Looks at the queue and the measured times; changes nothing.

    As if all workers were equally quick, and whoever is free first took the next job.
    """

    def __init__(self, queue: JobQueue, timings: Timings) -> None:
        self._queue = queue
        self._timings = timings

    def views(self, user_id: int, open_jobs: Iterable[Job], runs: Runs) -> list[JobView]:
        """A person's jobs in the order they will be finished; `open_jobs` as they are stored."""
        views = [JobView(job, None, 0.0) for job in open_jobs if job.state is JobState.PAINTED]
        running = [
            JobView(run.job, None, self._seconds_left(run))
            for each in runs
            if each is not None
            for run in each.with_guest()
            if run.job.belongs_to(user_id) and run.ends_as(RunOutcome.DELIVER)
        ]
        views.extend(sorted(running, key=lambda view: view.seconds_left))
        views.extend(view for view in self.waiting(runs) if view.job.belongs_to(user_id))
        return views

    def waiting(self, runs: Runs) -> Iterator[JobView]:
        """All that wait, in the order they will be painted."""
        for place, (job, _, ends_s) in enumerate(self._schedule(runs), start=1):
            yield JobView(job, place, ends_s)

    def minutes_until_room(self, count: int, runs: Runs) -> int:
        """Until so many more jobs may wait; at least 1.

        The last of the missing places is free when the job in it begins to be painted.
        """
        missing = max(1, count - self._queue.room())
        begin_s = [begins_s for _, begins_s, _ in itertools.islice(self._schedule(runs), missing)]
        return max(1, math.ceil(begin_s[-1] / 60)) if begin_s else 1

    def _schedule(self, runs: Runs) -> Iterator[tuple[Job, float, float]]:
        """All that wait, with the seconds until each begins and until it is finished.

        A photo waits for photos, and for clips of its own person; other people's let it in.
        """
        # Worked out once for each kind: a long queue has few, and the event loop waits here.
        estimate_s = functools.cache(self._timings.estimate_s)
        workers = range(max(1, len(runs)))
        photos_s, clips_s = [0.0 for _ in workers], [0.0 for _ in workers]
        """What each worker has to do still."""
        own_clips_s: defaultdict[int, float] = defaultdict(float)
        """By person."""
        for worker, run in enumerate(runs):
            for each in run.with_guest() if run is not None else ():
                left_s = self._seconds_left(each)
                if each.job.request.clip is None:
                    photos_s[worker] += left_s
                else:
                    clips_s[worker] += left_s
                    own_clips_s[each.job.request.user_id] += left_s
        for job in self._queue.waiting():
            owner, takes_s = job.request.user_id, estimate_s(job.request.options, job.clip_frames)
            if job.request.clip is None:
                first = min(workers, key=photos_s.__getitem__)
                begins_s = photos_s[first] + own_clips_s[owner] / len(workers)
                photos_s[first] += takes_s
            else:
                first = min(workers, key=lambda each: photos_s[each] + clips_s[each])
                begins_s = photos_s[first] + clips_s[first]
                clips_s[first] += takes_s
                own_clips_s[owner] += takes_s
            yield job, begins_s, begins_s + takes_s

    def _seconds_left(self, run: JobRun) -> float:
        return run.seconds_left(
            self._timings.estimate_s(run.job.request.options, run.job.clip_frames)
        )
