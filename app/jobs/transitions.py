"""What becomes of a job, from state to state.

A transition names the states it may come from. Of two that race (a job is cancelled in the moment
it is painted) the second finds nothing to change and returns None; nothing else decides it.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from app.jobs import table
from app.jobs.job_rows import JobRows
from app.jobs.model import Failure, Job, JobNote

_END_OF_ATTEMPT = (
    "UPDATE jobs SET state = iif(attempts < ?1, 'waiting', 'set_aside'),"
    " finished_at = iif(attempts < ?1, finished_at, ?2),"
    " failure = iif(attempts < ?1, failure, coalesce(failure, 'crashed_too_often'))"
)
"""What becomes of jobs that took down what painted them: ?1 is how often one may, ?2 the time."""


class JobTransitions(JobRows):
    """Each is one statement."""

    async def recover(self, *, max_attempts: int) -> list[Job]:
        """After a start: what ran when the process ended waits again, before all others.

        A job that was started `max_attempts` times without an end is set aside instead.
        Returns all that wait, in their order.
        """
        await self._database.execute(
            f"{_END_OF_ATTEMPT} WHERE state = 'running' AND bot_id = ?3",
            (max_attempts, self._clock(), self._bot_id),
        )
        return await self._rows(
            "SELECT * FROM jobs WHERE bot_id = ? AND state = 'waiting'"
            " ORDER BY started_at IS NULL, id",
            self._bot_id,
        )

    # Transitions

    async def start(self, job_id: int) -> Job | None:
        """Waiting to running; the attempt is counted before the work begins."""
        return await self._row(
            "UPDATE jobs SET state = 'running', attempts = attempts + 1, started_at = ?"
            " WHERE id = ? AND state = 'waiting' RETURNING *",
            self._clock(),
            job_id,
        )

    async def put_back(self, job_id: int) -> Job | None:
        """Running to waiting because the process ends: it does not count as an attempt."""
        return await self._row(
            "UPDATE jobs SET state = 'waiting', attempts = max(0, attempts - 1)"
            " WHERE id = ? AND state = 'running' RETURNING *",
            job_id,
        )

    async def end_attempt(self, job_id: int, *, max_attempts: int) -> Job | None:
        """Running to waiting because its worker has ended, or set aside, as in `recover`."""
        return await self._row(
            f"{_END_OF_ATTEMPT} WHERE state = 'running' AND id = ?3 RETURNING *",
            max_attempts,
            self._clock(),
            job_id,
        )

    async def pause(self, job_id: int) -> None:
        """A running job gives way to another: what that one does to the process is not its doing.

        Its attempt counts no longer, until `resume`.
        """
        await self._database.execute(
            "UPDATE jobs SET attempts = max(0, attempts - 1) WHERE id = ? AND state = 'running'",
            (job_id,),
        )

    async def resume(self, job_id: int) -> None:
        await self._database.execute(
            "UPDATE jobs SET attempts = attempts + 1 WHERE id = ? AND state = 'running'",
            (job_id,),
        )

    async def note_cause(self, job_id: int, cause: Failure) -> Job | None:
        """Remember, for the case that it is set aside, what a running job has come to."""
        return await self._row(
            "UPDATE jobs SET failure = ? WHERE id = ? AND state = 'running' RETURNING *",
            cause,
            job_id,
        )

    async def painted(
        self,
        job_id: int,
        *,
        result: Path,
        notes: Collection[JobNote],
        seconds: float,
        faces: int = 0,
        frames: int = 0,
    ) -> Job | None:
        return await self._row(
            "UPDATE jobs SET state = 'painted', result = ?, notes = ?, seconds = ?,"
            " faces = ?, frames = ?, finished_at = ?, failure = NULL"
            " WHERE id = ? AND state = 'running' RETURNING *",
            table.path_to_text(result, self._root),
            json.dumps(sorted(notes)),
            seconds,
            faces,
            frames,
            self._clock(),
            job_id,
        )

    async def delivered(self, job_ids: Collection[int]) -> list[Job]:
        return await self._rows(
            "UPDATE jobs SET state = 'delivered'"
            " WHERE id IN (SELECT value FROM json_each(?)) AND state = 'painted' RETURNING *",
            json.dumps(list(job_ids)),
        )

    async def cancel(self, job_id: int) -> Job | None:
        return await self._row(
            "UPDATE jobs SET state = 'cancelled', finished_at = ?"
            " WHERE id = ? AND state IN ('waiting', 'running', 'painted') RETURNING *",
            self._clock(),
            job_id,
        )

    async def cancel_chat(self, chat_id: int) -> list[Job]:
        """Cancel all open jobs of a chat that nothing reaches any more."""
        return await self._rows(
            "UPDATE jobs SET state = 'cancelled', finished_at = ? WHERE bot_id = ? AND chat_id = ?"
            " AND state IN ('waiting', 'running', 'painted') RETURNING *",
            self._clock(),
            self._bot_id,
            chat_id,
        )

    async def fail(self, job_id: int, failure: Failure) -> Job | None:
        return await self._row(
            "UPDATE jobs SET state = 'failed', failure = ?, finished_at = ?"
            " WHERE id = ? AND state IN ('running', 'painted') RETURNING *",
            failure,
            self._clock(),
            job_id,
        )

    async def withdraw(self, job_id: int, failure: Failure) -> Job | None:
        """Fail a job that has no picture yet, because it has nothing any more to be painted of."""
        return await self._row(
            "UPDATE jobs SET state = 'failed', failure = ?, finished_at = ?"
            " WHERE id = ? AND state IN ('waiting', 'running') RETURNING *",
            failure,
            self._clock(),
            job_id,
        )

    async def note_told(self, job_id: int) -> None:
        """The owner of a failed job has heard of it."""
        await self._database.execute("UPDATE jobs SET told = 1 WHERE id = ?", (job_id,))

    async def write_off(self, chat_id: int) -> list[Job]:
        """Owe no bad news to a chat that nothing reaches any more; returns the jobs they are of."""
        return await self._rows(
            "UPDATE jobs SET told = 1 WHERE bot_id = ? AND chat_id = ?"
            " AND state IN ('failed', 'set_aside') AND NOT told RETURNING *",
            self._bot_id,
            chat_id,
        )

    async def cancel_all(self, user_id: int) -> list[Job]:
        """Cancel all open jobs of a person."""
        return await self._rows(
            "UPDATE jobs SET state = 'cancelled', finished_at = ? WHERE user_id = ?"
            " AND state IN ('waiting', 'running', 'painted') RETURNING *",
            self._clock(),
            user_id,
        )
