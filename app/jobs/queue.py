"""Who is next. The order is a plain structure; the asyncio queue around it only waits."""

from __future__ import annotations

import asyncio
import math
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator, Mapping

from app.jobs.model import Job


class FairLine:
    """Round-robin over users, first in first out within one, for any number of workers.

    Whoever has fewest jobs in work comes first, and of those whose turn in the round it is: a
    person's two jobs are painted side by side only while nobody waits who has none in work. With
    one worker nobody has any when the next job is taken, and it is the round alone.

    A job is in work from `take` to `release`. Every operation takes time in the number of waiting
    users and of workers or of one user's jobs, never of all.
    """

    def __init__(self, *, workers: int = 1) -> None:
        self.workers = workers
        """How many jobs are in work at a time; at least 1."""
        self._ids_by_user: OrderedDict[int, deque[int]] = OrderedDict()
        """The first user is the next to be served. Nobody's queue is empty."""
        self._owners: dict[int, int] = {}
        self._in_work: dict[int, int] = {}
        """The users of the jobs in work, in the order in which those were taken."""

    def __len__(self) -> int:
        return len(self._owners)

    def __contains__(self, job_id: int) -> bool:
        return job_id in self._owners

    def __iter__(self) -> Iterator[int]:
        """Job ids in the order they will be taken if those in work end as they began."""
        in_work = deque(self._in_work.values())
        counts = Counter(in_work)
        queues = OrderedDict((user_id, deque(ids)) for user_id, ids in self._ids_by_user.items())
        while queues:
            while len(in_work) >= self.workers:
                counts[in_work.popleft()] -= 1
            user_id, ids = _pop_next(queues, counts)
            yield ids.popleft()
            if ids:
                queues[user_id] = ids
            in_work.append(user_id)
            counts[user_id] += 1

    def count_of(self, user_id: int) -> int:
        return len(self._ids_by_user.get(user_id, ()))

    def put(self, job_id: int, user_id: int) -> None:
        self._own(job_id, user_id)
        self._ids_by_user.setdefault(user_id, deque()).append(job_id)

    def put_first(self, job_id: int, user_id: int) -> None:
        """For a job that had its turn already and was not finished."""
        self._own(job_id, user_id)
        self._ids_by_user.setdefault(user_id, deque()).appendleft(job_id)
        self._ids_by_user.move_to_end(user_id, last=False)

    def take(self) -> int:
        """Remove and return the next job; its user goes to the end of the round."""
        if not self._ids_by_user:
            raise LookupError("nobody is waiting")
        user_id, ids = _pop_next(self._ids_by_user, Counter(self._in_work.values()))
        job_id = ids.popleft()
        del self._owners[job_id]
        if ids:
            self._ids_by_user[user_id] = ids
        self._in_work[job_id] = user_id
        return job_id

    def take_early(self, job_id: int) -> None:
        """Take a job before its turn; its user goes to the end of the round all the same."""
        user_id = self._owners[job_id]
        self.remove(job_id)
        if user_id in self._ids_by_user:
            self._ids_by_user.move_to_end(user_id)
        self._in_work[job_id] = user_id

    def release(self, job_id: int) -> None:
        """A job is no longer in work, however it ended."""
        self._in_work.pop(job_id, None)

    def remove(self, job_id: int) -> bool:
        """Take a job out of the line, wherever it stands; False if it isn't in it."""
        user_id = self._owners.pop(job_id, None)
        if user_id is None:
            return False
        ids = self._ids_by_user[user_id]
        ids.remove(job_id)
        if not ids:
            del self._ids_by_user[user_id]
        return True

    def _own(self, job_id: int, user_id: int) -> None:
        if job_id in self._owners:
            raise ValueError(f"job {job_id} is waiting already")
        self._owners[job_id] = user_id


def _pop_next(
    ids_by_user: OrderedDict[int, deque[int]], in_work: Mapping[int, int]
) -> tuple[int, deque[int]]:
    """Take the first of those users who have fewest jobs `in_work` out of the round."""
    chosen, fewest = -1, math.inf
    for user_id in ids_by_user:
        count = in_work.get(user_id, 0)
        if count < fewest:
            chosen, fewest = user_id, count
        if not count:  # most have none, so this looks at no more users than there are workers
            break
    return chosen, ids_by_user.pop(chosen)


class JobQueue(asyncio.Queue[Job]):
    """An asyncio queue of waiting jobs in the order of a `FairLine`.

    Its bounds are asked for by `room_for` before a job is written down: what is on the disk is
    owed to somebody, so `put_nowait` never refuses it.
    """

    def __init__(self, *, max_jobs: int, max_jobs_per_user: int, workers: int = 1) -> None:
        super().__init__()
        self.set_workers(workers)
        self.max_jobs = max_jobs
        self.max_jobs_per_user = max_jobs_per_user
        self._told: dict[int, int] = {}

    def set_workers(self, workers: int) -> None:
        """So many take jobs from now on; each calls `release` when one is no longer in work."""
        self._line.workers = max(1, workers)

    def release(self, job_id: int) -> None:
        """A job that was taken is no longer in work, however it ended."""
        self._line.release(job_id)

    def put_first(self, job: Job) -> None:
        """For a job that was taken and not finished: it is the next."""
        self._returned.add(job.id)
        self.put_nowait(job)

    def room(self) -> int:
        """How many more jobs may wait."""
        return max(0, self.max_jobs - len(self._line))

    def room_for(self, user_id: int) -> int:
        """How many more jobs of this person may wait, as far as the person's own limit goes."""
        return max(0, self.max_jobs_per_user - self._line.count_of(user_id))

    def waiting(self) -> list[Job]:
        """All that wait, in the order they will be painted."""
        return [self._jobs[job_id] for job_id in self._line]

    def take_picture(self, *, not_of: int) -> Job | None:
        """Take the next photo of another person, past all clips; None if there is none."""
        for job in self.waiting():
            if job.request.clip is None and not job.belongs_to(not_of):
                self._line.take_early(job.id)
                return self._jobs.pop(job.id)
        return None

    def changed_places(self) -> set[int]:
        """The ids of jobs whose place is another than when this was last asked."""
        places = {job_id: place for place, job_id in enumerate(self._line, start=1)}
        changed = {job_id for job_id, place in places.items() if self._told.get(job_id) != place}
        self._told = places
        return changed

    def remove(self, job_id: int) -> bool:
        """Take a job out of the queue; False if it doesn't wait."""
        self._jobs.pop(job_id, None)
        return self._line.remove(job_id)

    def qsize(self) -> int:
        return len(self._line)

    def empty(self) -> bool:
        return not self._line

    # The storage behind asyncio.Queue, replaced as in asyncio.PriorityQueue.

    def _init(self, maxsize: int) -> None:
        self._line = FairLine()
        self._jobs: dict[int, Job] = {}
        self._returned: set[int] = set()

    def _put(self, item: Job) -> None:
        put = self._line.put_first if item.id in self._returned else self._line.put
        put(item.id, item.request.user_id)
        self._returned.discard(item.id)
        self._jobs[item.id] = item

    def _get(self) -> Job:
        return self._jobs.pop(self._line.take())
