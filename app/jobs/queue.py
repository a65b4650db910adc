"""Who is next. The order is a plain structure; the asyncio queue around it only waits."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator

from app.jobs.model import Job


class FairLine:
    """Round-robin over users, first in first out within one.

    Every operation takes time in the number of waiting users or of one user's jobs, never of all.
    """

    def __init__(self) -> None:
        self._ids_by_user: OrderedDict[int, deque[int]] = OrderedDict()
        """The first user is the next to be served. Nobody's queue is empty."""
        self._owners: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._owners)

    def __contains__(self, job_id: int) -> bool:
        return job_id in self._owners

    def __iter__(self) -> Iterator[int]:
        """Job ids in the order they would be taken."""
        queues = [list(ids) for ids in self._ids_by_user.values()]
        for turn in range(max(map(len, queues), default=0)):
            yield from (ids[turn] for ids in queues if turn < len(ids))

    def count_of(self, user_id: int) -> int:
        return len(self._ids_by_user.get(user_id, ()))

    def put(self, job_id: int, user_id: int) -> None:
        if job_id in self._owners:
            raise ValueError(f"job {job_id} is waiting already")
        self._owners[job_id] = user_id
        self._ids_by_user.setdefault(user_id, deque()).append(job_id)

    def take(self) -> int:
        """Remove and return the next job; its user goes to the end of the round."""
        if not self._ids_by_user:
            raise LookupError("nobody is waiting")
        user_id, ids = self._ids_by_user.popitem(last=False)
        job_id = ids.popleft()
        del self._owners[job_id]
        if ids:
            self._ids_by_user[user_id] = ids
        return job_id

    def take_early(self, job_id: int) -> None:
        """Take a job before its turn; its user goes to the end of the round all the same."""
        user_id = self._owners[job_id]
        self.remove(job_id)
        if user_id in self._ids_by_user:
            self._ids_by_user.move_to_end(user_id)

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


class JobQueue(asyncio.Queue[Job]):
    """An asyncio queue of waiting jobs in the order of a `FairLine`.

    Its bounds are asked for by `room_for` before a job is written down: what is on the disk is
    owed to somebody, so `put_nowait` never refuses it.
    """

    def __init__(self, *, max_jobs: int, max_jobs_per_user: int) -> None:
        super().__init__()
        self.max_jobs = max_jobs
        self.max_jobs_per_user = max_jobs_per_user
        self._told: dict[int, int] = {}

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

    def _put(self, item: Job) -> None:
        self._line.put(item.id, item.request.user_id)
        self._jobs[item.id] = item

    def _get(self) -> Job:
        return self._jobs.pop(self._line.take())
