"""The file that keeps conversations, updates and what is owed to people's privacy over restarts."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from app.storage.database import Database

MIGRATIONS: Final = (
    """
    CREATE TABLE conversations (
        bot_id INTEGER NOT NULL,
        chat_id INTEGER NOT NULL,
        user_id INTEGER NOT NULL,
        thread_id INTEGER NOT NULL,
        destiny TEXT NOT NULL,
        state TEXT,
        data TEXT NOT NULL DEFAULT '{}',
        changed_at REAL NOT NULL,
        PRIMARY KEY (bot_id, chat_id, user_id, thread_id, destiny)
    ) WITHOUT ROWID;
    CREATE TABLE updates (
        bot_id INTEGER NOT NULL,
        update_id INTEGER NOT NULL,
        body TEXT, -- NULL once it was handled: only the number is kept
        attempts INTEGER NOT NULL DEFAULT 0,
        seen_at REAL NOT NULL,
        PRIMARY KEY (bot_id, update_id)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE erasures (
        user_id INTEGER PRIMARY KEY, -- 0: only the remains of what was deleted are left to wipe
        chat_id INTEGER,
        message_id INTEGER, -- the question; it becomes the answer
        language TEXT
    );
    CREATE TABLE borrowed_pictures (
        name TEXT PRIMARY KEY, -- of the file, without its suffix
        holder_id INTEGER NOT NULL, -- who has a copy...
        owner_id INTEGER NOT NULL, -- ...of whose picture
        borrowed_at REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX borrowed_pictures_by_owner ON borrowed_pictures (owner_id)
    """,
)

TIDY_EVERY_S: Final = 3600.0

logger = logging.getLogger(__name__)


async def open_chat_database(path: Path) -> Database:
    """The file of conversations, the inbox, erasures and borrowed pictures.

    Raises UnusableDatabaseError.
    """
    return await Database.open(path, MIGRATIONS)


async def tidy(*prunings: Callable[[], Awaitable[None]]) -> None:
    """Prune from time to time until cancelled; a failure is logged and tried again."""
    while True:
        try:
            for prune in prunings:
                await prune()
        except sqlite3.Error:
            logger.exception("pruning failed")
        await asyncio.sleep(TIDY_EVERY_S)
