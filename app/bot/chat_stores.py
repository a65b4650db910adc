"""What is remembered of chats and people, beside the jobs: two files in the data folder."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Self

from app.bot.chat_database import open_chat_database
from app.bot.conversation.fsm_storage import ConversationStorage
from app.bot.preferences import PreferencesRepository
from app.bot.transport.borrowed_pictures import BorrowedPictures
from app.bot.transport.inbox import Inbox
from app.storage.database import Database
from app.storage.folders import Folders
from models.interface import StyleOptions


@dataclass(frozen=True, slots=True)
class ChatStores:
    """The file of chats, and what is kept in it; preferences have a file of their own."""

    chats: Database
    conversations: ConversationStorage
    inbox: Inbox
    borrowed: BorrowedPictures
    preferences: PreferencesRepository

    @classmethod
    async def open(
        cls, stack: AsyncExitStack, folders: Folders, *, bot_id: int, defaults: StyleOptions
    ) -> Self:
        """Open both files until `stack` is left; `defaults` are for people who set nothing.

        Raises `app.storage.database.UnusableDatabaseError`.
        """
        chats = await open_chat_database(folders.root / "chats.sqlite3")
        stack.push_async_callback(chats.close)
        file = folders.root / "preferences.sqlite3"
        preferences = await PreferencesRepository.open(file, defaults=defaults)
        stack.push_async_callback(preferences.close)
        return cls(
            chats=chats,
            conversations=ConversationStorage(chats),
            inbox=Inbox(chats, bot_id=bot_id),
            borrowed=BorrowedPictures(chats, folders.originals),
            preferences=preferences,
        )

    @property
    def tidied(self) -> tuple[Callable[[], Awaitable[Any]], ...]:
        """What takes away now and then what is of no more use."""
        return (
            self.conversations.prune,
            self.inbox.prune,
            self.borrowed.prune,
            self.chats.empty_log,
        )
