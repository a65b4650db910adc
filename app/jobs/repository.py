"""Where jobs lie: one table in one SQLite file. Every change is on the disk when it returns."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn, Self

from app.jobs import table
from app.jobs.erasure import JobErasure
from app.jobs.interface import ResultMessage, StatusMessageId
from app.jobs.job_rows import Clock
from app.jobs.model import Job, JobRequest
from app.jobs.running.timings import Measured
from app.jobs.transitions import JobTransitions
from app.storage.database import Database
from models.clips.interface import ClipNote
from models.interface import Note


class JobRepository(JobTransitions, JobErasure):
    """All that is asked of the table, and what comes in; what becomes of it is inherited."""

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

    def _with_album(self, job: Job) -> tuple[object, ...]:
        """What names a job and all of its album; nothing equals the NULL of a job in none."""
        return job.id, self._bot_id, job.request.user_id, job.request.album

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

    async def pictures_of_all(self, user_id: int) -> set[Path]:
        """The files of every job of a person, of those that can't be read, too."""
        found = await self._database.fetch_all("SELECT * FROM jobs WHERE user_id = ?", (user_id,))
        return set().union(*(table.pictures_in_row(row, self._root) for row in found))

    async def all_of(self, user_id: int) -> list[Job]:
        """Every job of a person that is still remembered."""
        return await self._rows("SELECT * FROM jobs WHERE user_id = ?", user_id)

    async def remembered(self, user_id: int) -> list[Job]:
        """All jobs of a person whose pictures may be needed once more."""
        return await self._rows(
            "SELECT * FROM jobs WHERE user_id = ? AND state != 'deleted'", user_id
        )
