"""Where jobs lie: one table in one SQLite file. Every change is on the disk when it returns.

A transition names the states it may come from. Of two that race (a job is cancelled in the moment
it is painted) the second finds nothing to change and returns None; nothing else decides it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import NoReturn, Self

from app.jobs import table
from app.jobs.interface import ResultMessage, StatusMessageId
from app.jobs.model import Failure, Job, JobNote, JobRequest
from app.jobs.running.timings import Measured
from app.storage.database import Database
from models.clips.interface import ClipNote
from models.interface import Note

logger = logging.getLogger(__name__)

Clock = Callable[[], float]

_END_OF_ATTEMPT = (
    "UPDATE jobs SET state = iif(attempts < ?1, 'waiting', 'set_aside'),"
    " finished_at = iif(attempts < ?1, finished_at, ?2),"
    " failure = iif(attempts < ?1, failure, coalesce(failure, 'crashed_too_often'))"
)
"""What becomes of jobs that took down what painted them: ?1 is how often one may, ?2 the time."""


class JobRepository:
    """The jobs of one bot. Paths inside the file's folder are kept relative to it."""

    def __init__(
        self, database: Database, *, bot_id: int, root: Path, clock: Clock = time.time
    ) -> None:
        self._database = database
        self._bot_id = bot_id
        self._root = root
        self._clock = clock
        self._unreadable: set[int] = set()
        """The rows that were named in the log."""

    @classmethod
    async def open(cls, path: Path, *, bot_id: int, clock: Clock = time.time) -> Self:
        """Open or create the file. Raises `app.storage.database.UnusableDatabaseError`."""
        database = await Database.open(path, table.MIGRATIONS)
        return cls(database, bot_id=bot_id, root=path.parent, clock=clock)

    async def close(self) -> None:
        await self._database.close()

    async def damaged(self) -> NoReturn:
        """Wait until the file is found damaged, and raise DamagedDatabaseError then."""
        await self._database.damaged()

    # Coming in

    async def known(self, origins: Iterable[str]) -> dict[str, Job]:
        """The jobs that these origins made already, by origin."""
        jobs = await self._rows(
            "SELECT jobs.* FROM jobs JOIN json_each(?) AS asked ON jobs.origin = asked.value"
            " WHERE bot_id = ?",
            json.dumps(list(origins)),
            self._bot_id,
        )
        return {job.request.origin: job for job in jobs}

    async def add(self, requests: Sequence[JobRequest]) -> list[Job]:
        """Write new jobs down, all or none. Raises sqlite3.IntegrityError for a known origin."""
        jobs = []
        async with self._database.transaction() as statements:
            for request in requests:
                values = table.insert_values(
                    request, bot_id=self._bot_id, created_at=self._clock(), root=self._root
                )
                (row,) = await statements.fetch_all(table.INSERT, values)
                jobs.append(table.job_from_row(row, self._root))
        return jobs

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

    # Status messages: `app.jobs.interface.StatusMessageStore`

    async def status_message(self, job: Job) -> StatusMessageId | None:
        found = await self._database.fetch_all(
            "SELECT status_message_id, status_has_picture FROM jobs"
            " WHERE (id = ? OR bot_id = ? AND user_id = ? AND album = ?)"
            " AND status_message_id IS NOT NULL LIMIT 1",
            self._with_album(job),
        )
        return StatusMessageId(found[0][0], bool(found[0][1])) if found else None

    async def set_status_message(self, job: Job, shown: StatusMessageId) -> None:
        await self._database.execute(
            "UPDATE jobs SET status_message_id = ?, status_has_picture = ?"
            " WHERE id = ? OR bot_id = ? AND user_id = ? AND album = ?",
            (shown.message_id, shown.has_picture, *self._with_album(job)),
        )

    async def set_result_message(self, job: Job, shown: ResultMessage) -> None:
        # Shown again after a restart, a result may come without its file's id.
        await self._database.execute(
            "UPDATE jobs SET result_message_id = ?, result_is_photo = ?,"
            " result_file_id = coalesce(?, result_file_id) WHERE id = ?",
            (shown.message_id, shown.is_photo, shown.file_id, job.id),
        )

    # Questions

    async def get(self, job_id: int) -> Job | None:
        return await self._row("SELECT * FROM jobs WHERE id = ?", job_id)

    async def open_of(self, user_id: int) -> list[Job]:
        return await self._rows(
            "SELECT * FROM jobs WHERE bot_id = ? AND user_id = ?"
            " AND state IN ('waiting', 'running', 'painted') ORDER BY id",
            self._bot_id,
            user_id,
        )

    async def ordered_since(self, user_id: int, since: float) -> list[float]:
        """When a person ordered what was, or will be, painted; the oldest first. Unix seconds."""
        found = await self._database.fetch_all(
            "SELECT created_at FROM jobs WHERE bot_id = ? AND user_id = ? AND created_at > ?"
            " AND state NOT IN ('failed', 'set_aside')"
            " AND NOT (state = 'cancelled' AND started_at IS NULL) ORDER BY created_at",
            (self._bot_id, user_id, since),
        )
        return [row[0] for row in found]

    async def unpainted(self) -> list[Job]:
        """All jobs that have no picture yet."""
        return await self._rows(
            "SELECT * FROM jobs WHERE bot_id = ? AND state IN ('waiting', 'running') ORDER BY id",
            self._bot_id,
        )

    async def results_of(self, user_id: int, chat_id: int | None, limit: int) -> list[Job]:
        """A person's results that have arrived, of one chat or of all, the newest first; no trials.

        Seen in the chat, one counts although it is noted as delivered only a moment later.
        """
        return await self._rows(
            "SELECT * FROM jobs WHERE bot_id = ? AND user_id = ? AND chat_id = coalesce(?, chat_id)"
            " AND (state = 'delivered' OR state = 'painted' AND result_message_id IS NOT NULL)"
            " AND NOT is_trial ORDER BY finished_at DESC, id DESC LIMIT ?",
            self._bot_id,
            user_id,
            chat_id,
            limit,
        )

    async def album(self, job: Job) -> list[Job]:
        """All jobs of the album that `job` belongs to, in the order of the photos."""
        return await self._rows(
            "SELECT * FROM jobs WHERE bot_id = ? AND user_id = ? AND album = ? ORDER BY id",
            self._bot_id,
            job.request.user_id,
            job.request.album,
        )

    async def owed(self) -> list[Job]:
        """Jobs whose result, or whose bad news, has not reached its owner."""
        return await self._rows(
            "SELECT * FROM jobs WHERE bot_id = ? AND (state = 'painted'"
            " OR state IN ('failed', 'set_aside') AND NOT told) ORDER BY id",
            self._bot_id,
        )

    async def measured(self, limit: int) -> list[Measured]:
        """What was painted to the end last, the oldest first."""
        found = await self._database.fetch_all(
            "SELECT options, clip, seconds FROM jobs WHERE seconds IS NOT NULL AND NOT EXISTS"
            " (SELECT 1 FROM json_each(iif(json_valid(notes), notes, '[]'))"
            " WHERE value IN (?, ?)) ORDER BY finished_at DESC LIMIT ?",
            (Note.STOPPED, ClipNote.CUT_OFF, limit),
        )
        measured: list[Measured] = []
        for options, clip, seconds in reversed(found):
            # Of another version, whose pictures may take another time: not asked for here.
            with contextlib.suppress(TypeError, ValueError, KeyError):
                frames = int(json.loads(clip)["frames"]) if clip else None
                read = table.options_from_text(options)
                measured.append(Measured(read, float(seconds), frames))
        return measured

    async def counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """How many jobs there are by state, and by failure."""
        states = await self._database.fetch_all(
            "SELECT state, count(*) FROM jobs WHERE bot_id = ? GROUP BY state", (self._bot_id,)
        )
        failures = await self._database.fetch_all(
            "SELECT failure, count(*) FROM jobs WHERE bot_id = ?"
            " AND state IN ('failed', 'set_aside') GROUP BY failure",
            (self._bot_id,),
        )
        return dict(map(tuple, states)), dict(map(tuple, failures))

    # Going away

    async def open_pictures(self) -> set[Path]:
        """What open jobs of every bot that shares the file need, and those of other versions."""
        found = await self._database.fetch_all(
            "SELECT content, styles, result FROM jobs"
            " WHERE state NOT IN ('delivered', 'deleted', 'cancelled', 'failed', 'set_aside')"
        )
        return set().union(*(table.pictures_in_row(row, self._root) for row in found))

    async def cancel_all(self, user_id: int) -> list[Job]:
        """Cancel all open jobs of a person."""
        return await self._rows(
            "UPDATE jobs SET state = 'cancelled', finished_at = ? WHERE user_id = ?"
            " AND state IN ('waiting', 'running', 'painted') RETURNING *",
            self._clock(),
            user_id,
        )

    async def pictures_of_all(self, user_id: int) -> set[Path]:
        """The files of every job of a person, of those that can't be read, too."""
        found = await self._database.fetch_all("SELECT * FROM jobs WHERE user_id = ?", (user_id,))
        return set().union(*(table.pictures_in_row(row, self._root) for row in found))

    async def all_of(self, user_id: int) -> list[Job]:
        """Every job of a person that is still remembered."""
        return await self._rows("SELECT * FROM jobs WHERE user_id = ?", user_id)

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

    async def remembered(self, user_id: int) -> list[Job]:
        """All jobs of a person whose pictures may be needed once more."""
        return await self._rows(
            "SELECT * FROM jobs WHERE user_id = ? AND state != 'deleted'", user_id
        )

    async def delete_finished(self, *, before: float) -> int:
        """Delete rows that came to their end before a time (Unix seconds); returns how many."""
        gone = await self._database.fetch_all(
            "DELETE FROM jobs WHERE finished_at < ?"
            " AND (state IN ('delivered', 'cancelled', 'deleted')"
            " OR state IN ('failed', 'set_aside') AND told) RETURNING id",
            (before,),
        )
        return len(gone)

    def _with_album(self, job: Job) -> tuple[object, ...]:
        """What names a job and all of its album; nothing equals the NULL of a job in none."""
        return job.id, self._bot_id, job.request.user_id, job.request.album

    async def _rows(self, sql: str, *parameters: object) -> list[Job]:
        found = await self._database.fetch_all(sql, parameters)
        return self._readable(found)

    def _readable(self, rows: Iterable[sqlite3.Row]) -> list[Job]:
        """All jobs but those of another version, which stay in the file for that one."""
        jobs = []
        for row in rows:
            try:
                jobs.append(table.job_from_row(row, self._root))
            except table.UnreadableRowError as error:
                if row["id"] not in self._unreadable:
                    self._unreadable.add(row["id"])
                    facts = {"job": row["id"], "fields": error.fields}
                    logger.error("a job can't be read; its row is left as it is", extra=facts)
        return jobs

    async def _row(self, sql: str, *parameters: object) -> Job | None:
        jobs = await self._rows(sql, *parameters)
        return jobs[0] if jobs else None
