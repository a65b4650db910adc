"""What is taken out of the table again."""

from __future__ import annotations

import json
from collections.abc import Collection

from app.jobs import table
from app.jobs.job_rows import JobRows
from app.jobs.model import Job


class JobErasure(JobRows):
    """Rows that go, or say nothing of pictures any more."""

    async def forget(self, user_id: int) -> list[Job]:
        """Delete every row of a person; returns what they were."""
        return await self._rows("DELETE FROM jobs WHERE user_id = ? RETURNING *", user_id)

    async def wipe(self) -> None:
        """Leave no byte of what was deleted. Raises sqlite3.Error."""
        await self._database.wipe()

    async def delete_results(self, job_ids: Collection[int], user_id: int) -> list[Job]:
        """Delete what delivered jobs of a person say of pictures; returns what they were."""
        meant = "id IN (SELECT value FROM json_each(?)) AND user_id = ? AND state = 'delivered'"
        parameters = (json.dumps(list(job_ids)), user_id)
        async with self._database.transaction() as statements:
            rows = await statements.fetch_all(f"SELECT * FROM jobs WHERE {meant}", parameters)  # noqa: S608
            await statements.execute(
                "UPDATE jobs SET state = 'deleted', content = '', styles = '[]', result = NULL,"  # noqa: S608
                " result_message_id = NULL, result_file_id = NULL, status_message_id = NULL"
                f" WHERE {meant}",
                parameters,
            )
        return [table.job_from_row(row, self._root) for row in rows]

    async def delete_finished(self, *, before: float) -> int:
        """Delete rows that came to their end before a time (Unix seconds); returns how many."""
        gone = await self._database.fetch_all(
            "DELETE FROM jobs WHERE finished_at < ?"
            " AND (state IN ('delivered', 'cancelled', 'deleted')"
            " OR state IN ('failed', 'set_aside') AND told) RETURNING id",
            (before,),
        )
        return len(gone)
