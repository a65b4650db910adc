"""The table of jobs, and how a job becomes a row of it and a row a job."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from pathlib import Path
from typing import Any

from app.jobs.model import Delivery, Failure, Job, JobRequest, JobState, PrintSize, StyleChoice
from models.interface import Note, Quality, StyleOptions

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
)

INSERT = """
    INSERT INTO jobs (
        bot_id, origin, user_id, chat_id, language, content, styles, options, delivery,
        album, album_size, thread_id, reply_to, is_trial, print_size, created_at
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *
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
        created_at,
    )


def job_from_row(row: sqlite3.Row, root: Path) -> Job:
    return Job(
        id=row["id"],
        request=_request_from_row(row, root),
        state=JobState(row["state"]),
        attempts=row["attempts"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        seconds=row["seconds"],
        result=root / row["result"] if row["result"] else None,
        faces=row["faces"],
        frames=row["frames"],
        notes=frozenset(map(Note, json.loads(row["notes"]))),
        failure=Failure(row["failure"]) if row["failure"] else None,
        told=bool(row["told"]),
        result_message_id=row["result_message_id"],
        result_file_id=row["result_file_id"],
        result_is_photo=bool(row["result_is_photo"]),
    )


def options_from_text(text: str) -> StyleOptions:
    values = json.loads(text)
    return StyleOptions(**{**values, "quality": Quality(values["quality"])})


def path_to_text(path: Path, root: Path) -> str:
    """Relative to `root` if inside, so that the data folder can be moved or restored elsewhere."""
    path = path.absolute()
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _request_from_row(row: sqlite3.Row, root: Path) -> JobRequest:
    return JobRequest(
        origin=row["origin"],
        user_id=row["user_id"],
        chat_id=row["chat_id"],
        language=row["language"],
        content=root / row["content"],
        styles=tuple(_style_from_json(values, root) for values in json.loads(row["styles"])),
        options=options_from_text(row["options"]),
        delivery=Delivery(row["delivery"]),
        album=row["album"],
        album_size=row["album_size"],
        thread_id=row["thread_id"],
        reply_to=row["reply_to"],
        is_trial=bool(row["is_trial"]),
        print_size=PrintSize(row["print_size"]) if row["print_size"] else None,
    )


def _style_to_json(style: StyleChoice, root: Path) -> dict[str, object]:
    return {
        "picture": path_to_text(style.picture, root),
        "preset": style.preset,
        "weight": style.weight,
    }


def _style_from_json(values: dict[str, Any], root: Path) -> StyleChoice:
    return StyleChoice(root / values["picture"], values["preset"], values["weight"])
