"""How many pictures a person may order in 24 hours, where the owner has set a number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from app.jobs.interface import DailyLimitReached
from app.jobs.model import Job
from app.jobs.repository import JobRepository

WINDOW_S: Final = 86_400.0
"""It slides: nobody needs to know what time it is where the bot lives."""


class DailyAllowance:
    """Counts the jobs of the last 24 hours that were not cancelled before they began, or failed."""

    def __init__(
        self, repository: JobRepository, limit: int | None, clock: Callable[[], float]
    ) -> None:
        self._repository = repository
        self._limit = limit
        self._clock = clock
        self._forgotten: defaultdict[int, list[float]] = defaultdict(list)
        """When people ordered what they had deleted since: in memory only, and for a day."""

    async def left(self, user_id: int) -> int | None:
        """How many more there may be now; None without a limit."""
        if self._limit is None:
            return None
        return max(0, self._limit - len(await self._ordered_at(user_id)))

    async def check(self, user_id: int, count: int) -> None:
        """Raises DailyLimitReached if so many more would be too many."""
        if self._limit is None:
            return
        ordered_at = await self._ordered_at(user_id)
        excess = len(ordered_at) + count - self._limit
        if excess > 0:
            # Those that make room are the oldest; of more than all there is no hope but a day.
            last = ordered_at[min(excess, len(ordered_at)) - 1] if ordered_at else self._clock()
            raise DailyLimitReached(self._limit, last + WINDOW_S - self._clock())

    def forget(self, jobs: Iterable[Job]) -> None:
        """Their rows are deleted; who deletes them has no new allowance."""
        if self._limit is not None:
            for job in jobs:
                self._forgotten[job.request.user_id].append(job.created_at)

    async def _ordered_at(self, user_id: int) -> list[float]:
        since = self._clock() - WINDOW_S
        stored = await self._repository.ordered_since(user_id, since)
        forgotten = [at for at in self._forgotten.pop(user_id, ()) if at > since]
        if forgotten:
            self._forgotten[user_id] = forgotten
        return sorted([*stored, *forgotten])
