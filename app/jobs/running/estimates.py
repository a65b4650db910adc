"""Who waits how long: worked out from what jobs of that kind really took here."""

from __future__ import annotations

import functools
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from app.jobs.interface import JobView
from app.jobs.model import Job, JobState
from app.jobs.queue import JobQueue
from app.jobs.running.job_run import JobRun, RunOutcome
from app.jobs.running.timings import Timings

Runs = Sequence[JobRun | None]
"""What each worker paints in this moment; None for one that is idle."""


@dataclass(slots=True)
class _Ahead:
    """What one worker still has to do, in seconds.

    A photo waits for photos, and for clips of its own person; other people's let it in.
    """

    pictures_s: float = 0.0
    clips_s: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    """By person."""

    def of(self, job: Job) -> float:
        """What is done before it."""
        if job.request.clip is not None:
            return self.pictures_s + sum(self.clips_s.values())
        return self.pictures_s + self.clips_s.get(job.request.user_id, 0.0)

    def add(self, job: Job, seconds: float) -> None:
        if job.request.clip is None:
            self.pictures_s += seconds
        else:
            self.clips_s[job.request.user_id] += seconds


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
            for run in itertools.chain.from_iterable(map(_with_guest, runs))
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
        return max(1, math.ceil(max(begin_s) / 60)) if begin_s else 1

    def _schedule(self, runs: Runs) -> Iterator[tuple[Job, float, float]]:
        """All that wait, with the seconds until each begins and until it is finished."""
        # Worked out once for each kind: a long queue has few, and the event loop waits here.
        estimate_s = functools.cache(self._timings.estimate_s)
        workers = [self._ahead(run) for run in runs] or [_Ahead()]
        for job in self._queue.waiting():
            takes_s = estimate_s(job.request.options, job.clip_frames)
            worker = min(workers, key=lambda each: each.of(job))
            begins_s = worker.of(job)
            worker.add(job, takes_s)
            yield job, begins_s, begins_s + takes_s

    def _ahead(self, run: JobRun | None) -> _Ahead:
        ahead = _Ahead()
        for each in _with_guest(run):
            ahead.add(each.job, self._seconds_left(each))
        return ahead

    def _seconds_left(self, run: JobRun) -> float:
        job = run.job
        return run.seconds_left(self._timings.estimate_s(job.request.options, job.clip_frames))


def _with_guest(run: JobRun | None) -> list[JobRun]:
    return [] if run is None else run.with_guest()
