"""Where conversations stand: on the disk for the next start, in memory for the next update."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NoReturn

from aiogram.exceptions import DataNotDictLikeError
from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage, StateType, StorageKey
from cachetools import LRUCache
from pydantic import TypeAdapter, ValidationError

from app.storage.database import Database

logger = logging.getLogger(__name__)

MAX_RECENT: Final = 2000
"""Conversations kept in memory; the rest is read again when it goes on."""
KEEP_CONVERSATIONS_S: Final = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class _Conversation:
    state: str | None = None
    data: str = "{}"
    """JSON, so that nobody can change what is remembered by changing what was read."""


class ConversationStorage(BaseStorage):
    """aiogram's FSM storage over SQLite, with the conversations of late in memory.

    Whoever opened the database closes it.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._recent: LRUCache[StorageKey, _Conversation] = LRUCache(MAX_RECENT)
        self._reader = TypeAdapter(dict[str, Any])

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        name = state.state if isinstance(state, State) else state
        await self._write(key, replace(await self._read(key), state=name))

    async def get_state(self, key: StorageKey) -> str | None:
        return (await self._read(key)).state

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        if not isinstance(data, dict):
            raise DataNotDictLikeError(f"Data must be a dict, not {type(data).__name__}")
        await self._write(key, replace(await self._read(key), data=json.dumps(data)))

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        return self._data((await self._read(key)).data)

    async def data_of(self, user_id: int) -> list[dict[str, Any]]:
        """What is kept of a person's conversations, in any chat and of any destiny."""
        rows = await self._database.fetch_all(
            "SELECT data FROM conversations WHERE user_id = ?", (user_id,)
        )
        return [self._data(row[0]) for row in rows]

    async def close(self) -> None:
        """Nothing of its own to close."""

    async def damaged(self) -> NoReturn:
        """Wait until the file is found damaged, and raise DamagedDatabaseError then."""
        await self._database.damaged()

    async def forget(self, user_id: int) -> None:
        """Delete what a person said in any chat."""
        await self._database.execute("DELETE FROM conversations WHERE user_id = ?", (user_id,))
        for key in [key for key in self._recent if key.user_id == user_id]:
            del self._recent[key]

    async def prune(self) -> None:
        """Drop conversations that ended, and those that nobody went on with for long."""
        await self._database.execute(
            "DELETE FROM conversations WHERE changed_at < ? OR (state IS NULL AND data = '{}')",
            (self._clock() - KEEP_CONVERSATIONS_S,),
        )
        self._recent.clear()

    def _data(self, text: str) -> dict[str, Any]:
        try:
            return self._reader.validate_json(text)
        except ValidationError:
            logger.error("a conversation can't be read, and begins anew")
            return {}

    async def _read(self, key: StorageKey) -> _Conversation:
        known = self._recent.get(key)
        if known is None:
            row = await self._database.read_one(
                "SELECT state, data FROM conversations WHERE"
                " bot_id = ? AND chat_id = ? AND user_id = ? AND thread_id = ? AND destiny = ?",
                _columns(key),
            )
            known = self._recent[key] = _Conversation(*row) if row else _Conversation()
        return known

    async def _write(self, key: StorageKey, conversation: _Conversation) -> None:
        if conversation == await self._read(key):
            return
        await self._database.execute(
            "INSERT OR REPLACE INTO conversations"
            " (bot_id, chat_id, user_id, thread_id, destiny, state, data, changed_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*_columns(key), conversation.state, conversation.data, self._clock()),
        )
        self._recent[key] = conversation


def _columns(key: StorageKey) -> tuple[object, ...]:
    # NULLs are never equal to each other, so "no topic" is 0.
    return (key.bot_id, key.chat_id, key.user_id, key.thread_id or 0, key.destiny)
