"""The table of jobs, and how a job becomes a row of it and a row a job."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from app.jobs.model import Job, JobRequest, StyleChoice
from app.pictures.frames import frames_file
from models.interface import Quality, StyleOptions

MIGRATIONS = (
    """
    CREATE TABLE jobs (
        -- AUTOINCREMENT: the buttons of a forgotten job must never meet another job's number.
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        bot_id INTEGER NOT NULL,
        origin TEXT NOT NULL,
        user_id INTEGER NOT NULL,
        chat_id INTEGER NOT NULL,
        language TEXT NOT NULL,
        content TEXT NOT NULL,
        styles TEXT NOT NULL,
        options TEXT NOT NULL,
        delivery TEXT NOT NULL,
        album TEXT,
        album_size INTEGER NOT NULL,
        thread_id INTEGER,
        reply_to INTEGER,
        state TEXT NOT NULL DEFAULT 'waiting',
        attempts INTEGER NOT NULL DEFAULT 0,
        created_at REAL NOT NULL,
        started_at REAL,
        finished_at REAL,
        seconds REAL,
        status_message_id INTEGER,
        status_has_picture INTEGER NOT NULL DEFAULT 0,
        result TEXT,
        notes TEXT NOT NULL DEFAULT '[]',
        failure TEXT,
        told INTEGER NOT NULL DEFAULT 0,
        UNIQUE (bot_id, origin)
    );
    CREATE INDEX jobs_by_state ON jobs (state);
    CREATE INDEX jobs_by_user ON jobs (user_id);
    """,
    "ALTER TABLE jobs ADD COLUMN faces INTEGER NOT NULL DEFAULT 0",
    """
    ALTER TABLE jobs ADD COLUMN is_trial INTEGER NOT NULL DEFAULT 0;
    UPDATE jobs SET is_trial = 1 WHERE origin LIKE 'trial:%';
    """,
    """
    ALTER TABLE jobs ADD COLUMN result_message_id INTEGER;
    ALTER TABLE jobs ADD COLUMN result_file_id TEXT;
    ALTER TABLE jobs ADD COLUMN result_is_photo INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE jobs ADD COLUMN print_size TEXT;
    ALTER TABLE jobs ADD COLUMN frames INTEGER NOT NULL DEFAULT 0;
    """,
    "ALTER TABLE jobs ADD COLUMN clip TEXT",
)

INSERT = """
    INSERT INTO jobs (
        bot_id, origin, user_id, chat_id, language, content, styles, options, delivery,
        album, album_size, thread_id, reply_to, is_trial, print_size, clip, created_at
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *
"""


def insert_values(
    request: JobRequest, *, bot_id: int, created_at: float, root: Path
) -> tuple[object, ...]:
    """The parameters of `INSERT`."""
    return (
        bot_id,
        request.origin,
        request.user_id,
        request.chat_id,
        request.language,
        path_to_text(request.content, root),
        json.dumps([_style_to_json(style, root) for style in request.styles]),
        json.dumps(dataclasses.asdict(request.options)),
        request.delivery,
        request.album,
        request.album_size,
        request.thread_id,
        request.reply_to,
        request.is_trial,
        request.print_size,
        None if request.clip is None else json.dumps(dataclasses.asdict(request.clip)),
        created_at,
    )


class UnreadableRowError(ValueError):
    """A row that this version can't read: a newer one wrote it, or it was damaged.

    `fields` are the columns in question; what stands in them was said by somebody.
    """

    def __init__(self, fields: Collection[str]) -> None:
        super().__init__("a row can't be read")
        self.fields = sorted(fields)


def job_from_row(row: sqlite3.Row, root: Path) -> Job:
    """Raises UnreadableRowError."""
    values = dict(row)
    for column, read in _WRITTEN_AS_TEXT.items():
        try:
            values[column] = read(values[column], root)
        except (TypeError, ValueError, KeyError) as error:
            raise UnreadableRowError([column]) from error
    try:
        # A request's fields have columns of their own: each takes what is its own.
        return _job_reader().validate_python({**values, "request": values})
    except ValidationError as error:
        places = [each["loc"] for each in error.errors(include_input=False)]
        columns = {str(place[place[0] == "request"]) for place in places}
        raise UnreadableRowError(columns) from error


def pictures_in_row(row: sqlite3.Row, root: Path) -> set[Path]:
    """Every file that a job reads or has written, as far as its row can be read."""
    found: set[Path] = set()
    for column in ("content", "result"):
        with contextlib.suppress(TypeError, ValueError):
            found |= {root / row[column]} if row[column] else set()
    with contextlib.suppress(TypeError, ValueError):
        found |= {frames_file(root / row["result"])} if row["result"] else set()
    with contextlib.suppress(TypeError, ValueError, KeyError):
        found |= {style.picture for style in _styles(row["styles"], root)}
    return found


def options_from_text(text: str) -> StyleOptions:
    """Raises TypeError or ValueError for options that this version doesn't know."""
    values = json.loads(text)
    return StyleOptions(**{**values, "quality": Quality(values["quality"])})


def path_to_text(path: Path, root: Path) -> str:
    """Relative to `root` if inside, so that the data folder can be moved or restored elsewhere."""
    path = path.absolute()
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _style_to_json(style: StyleChoice, root: Path) -> dict[str, object]:
    return {
        "picture": path_to_text(style.picture, root),
        "preset": style.preset,
        "weight": style.weight,
    }


def _styles(text: str, root: Path) -> tuple[StyleChoice, ...]:
    return tuple(
        StyleChoice(root / values["picture"], values["preset"], values["weight"])
        for values in json.loads(text)
    )


_WRITTEN_AS_TEXT: dict[str, Callable[[str, Path], object]] = {
    "content": lambda text, root: root / text,
    "result": lambda text, root: root / text if text else None,
    "styles": _styles,
    "options": lambda text, _: options_from_text(text),
    "notes": lambda text, _: json.loads(text),
    "clip": lambda text, _: json.loads(text) if text else None,
}


@functools.cache
def _job_reader() -> TypeAdapter[Job]:
    return TypeAdapter(Job)
