"""Who is there and what was said: the sandbox's state, without any HTTP."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.sandbox.errors import BLOCKED, ApiError, bad_request
from app.sandbox.files import Files
from app.sandbox.updates import UpdateQueue

Json = dict[str, Any]

KEPT_MESSAGES = 1000
KEPT_VERSIONS = 1000
KEPT_QUERIES = 1000
KEPT_CALLS = 5000
KEPT_INLINE_QUERIES = 200
KEPT_EVENTS = 2000


@dataclass(slots=True)
class User:
    """A person or the bot."""

    id: int
    first_name: str
    username: str | None = None
    language_code: str | None = None
    is_bot: bool = False

    def as_json(self) -> Json:
        about: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        if self.username:
            about["username"] = self.username
        if self.language_code:
            about["language_code"] = self.language_code
        return about


GROUP_ANONYMOUS = User(1087968824, "Group", username="GroupAnonymousBot", is_bot=True)
WRITES_AS_CHANNEL = User(136817688, "Channel", username="Channel_Bot", is_bot=True)
"""Whom Telegram names as the sender of what was written on behalf of a chat."""


@dataclass(slots=True)
class Message:
    """A message as the Bot API shows it; `content` holds text or media with caption."""

    id: int
    chat: Chat
    sender: User
    content: Json
    date: int
    reply_to: Message | None = None
    reply_markup: Json | None = None
    media_group_id: str | None = None
    sender_chat: Chat | None = None
    """On behalf of which `sender` wrote it."""
    edit_date: int | None = None
    versions: deque[Json] = field(default_factory=lambda: deque(maxlen=KEPT_VERSIONS))
    """The latest contents that edits have replaced, oldest first."""

    @property
    def text(self) -> str:
        """What one reads: the text or the caption."""
        return str(self.content.get("text") or self.content.get("caption") or "")

    @property
    def buttons(self) -> list[Json]:
        """The inline buttons, row after row."""
        rows = (self.reply_markup or {}).get("inline_keyboard", [])
        return [button for row in rows for button in row]

    @property
    def _shown_sender(self) -> User:
        if self.sender_chat is None:
            return self.sender
        return GROUP_ANONYMOUS if self.sender_chat is self.chat else WRITES_AS_CHANNEL

    def as_json(self, *, with_reply: bool = True) -> Json:
        shown: Json = {
            "message_id": self.id,
            "from": self._shown_sender.as_json(),
            "chat": self.chat.as_json(),
            "date": self.date,
            **self.content,
        }
        if self.sender_chat is not None:
            shown["sender_chat"] = self.sender_chat.as_json()
        if self.reply_to is not None and with_reply:
            shown["reply_to_message"] = self.reply_to.as_json(with_reply=False)
        for key in ("reply_markup", "media_group_id", "edit_date"):
            if (value := getattr(self, key)) is not None:
                shown[key] = value
        return shown


@dataclass(slots=True)
class Chat:
    """A private chat (its id is the person's) or a group."""

    id: int
    kind: str = "private"
    title: str | None = None
    person: User | None = None
    has_blocked: bool = False
    administrators: list[User] = field(default_factory=list)
    messages: dict[int, Message] = field(default_factory=dict)

    def as_json(self) -> Json:
        about: Json = {"id": self.id, "type": self.kind}
        if self.person is not None:
            about["first_name"] = self.person.first_name
            if self.person.username:
                about["username"] = self.person.username
        else:
            about["title"] = self.title
        return about


@dataclass(slots=True)
class CallbackQuery:
    """A pressed button that waits for its answer."""

    id: str
    person: User
    message: Message
    pressed_at: float
    answer: Json | None = None


@dataclass(slots=True)
class InlineQuery:
    """What a person types after the bot's name in any chat."""

    id: str
    person: User
    contents: dict[str, Json] | None = None
    """The results by their ids, once it is answered."""
    is_personal: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the Bot API that was made; the tests count them."""

    method: str
    chat_id: int | None
    at: float
    ok: bool


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a chat's watcher sees."""

    kind: str
    chat_id: int
    body: Json


@dataclass
class Profile:
    """What the bot says about itself: commands by (scope, language), descriptions by language."""

    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)

    def menu(self, language: str | None) -> list[Json]:
        """The commands that a private chat in `language` shows: the narrowest scope wins.

        Clients say `pt-br`, and menus are registered by two letters.
        """
        bare = (language or "").partition("-")[0]
        for scope in ("all_private_chats", "default"):
            for code in (bare, ""):
                if found := self.commands.get((scope, code)):
                    return found
        return []


class World:
    """Users, chats and messages, the bot's updates, and a feed of what happens."""

    def __init__(
        self, *, bot_username: str = "style_sandbox_bot", bot_id: int = 4200000001
    ) -> None:
        self.bot = User(bot_id, "Style transfer", username=bot_username, is_bot=True)
        self.users: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        self.files = Files()
        self.updates = UpdateQueue()
        self.queries: dict[str, CallbackQuery] = {}
        self.local_folder: Path | None = None
        """Where files are put for bots to read, as a server does that runs with --local..."""
        self.name_of_local_folder: Path | None = None
        """...and what it calls that folder, if that is another name."""
        self.has_inline_mode = True
        """As @BotFather has it."""
        self.inline_queries: dict[str, InlineQuery] = {}
        self.profile = Profile()
        self.calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self._watchers: dict[asyncio.Queue[Event], int | None] = {}
        """Feeds, and the chat that each is about; None is all of them."""
        # As with updates: a message of this world must not be taken for one of the last.
        self._next_message_id = secrets.randbelow(2**24) + 1

    def join(self, user: User) -> User:
        """Let a person in; the private chat with the bot exists from then on."""
        self.users[user.id] = user
        self.chats[user.id] = Chat(user.id, person=user)
        return user

    def open_group(self, chat_id: int, title: str) -> Chat:
        """A group that the bot is a member of and where it reads everything."""
        self.chats[chat_id] = Chat(chat_id, kind="supergroup", title=title)
        return self.chats[chat_id]

    def chat_for_bot(self, chat_id: int) -> Chat:
        """The chat that a method names. Raises `ApiError`: unknown, or the bot is blocked."""
        chat = self.chats.get(chat_id)
        if chat is None:
            raise bad_request("chat not found")
        if chat.has_blocked:
            raise ApiError(403, BLOCKED)
        return chat

    def post(
        self,
        chat: Chat,
        sender: User,
        content: Json,
        *,
        reply_to: Message | None = None,
        reply_markup: Json | None = None,
        media_group_id: str | None = None,
        sender_chat: Chat | None = None,
    ) -> Message:
        """Put a new message into a chat and show it to the watchers."""
        message = Message(
            id=self._next_message_id,
            chat=chat,
            sender=sender,
            content=content,
            date=int(time.time()),
            reply_to=reply_to,
            reply_markup=reply_markup,
            media_group_id=media_group_id,
            sender_chat=sender_chat,
        )
        self._next_message_id += 1
        chat.messages[message.id] = message
        if len(chat.messages) > KEPT_MESSAGES:
            _drop(next(iter(chat.messages.values())))
        self.publish("message", chat, message.as_json())
        return message

    def change(self, message: Message, content: Json, reply_markup: Json | None) -> None:
        """Edit a message in place and show it to the watchers."""
        message.versions.append(message.content)
        message.content = content
        message.reply_markup = reply_markup
        message.edit_date = int(time.time())
        self.publish("edited", message.chat, message.as_json())

    def remove(self, message: Message) -> None:
        _drop(message)
        self.publish("deleted", message.chat, {"message_id": message.id})

    def remember(self, query: CallbackQuery) -> None:
        """Keep a pressed button for its answer; the oldest are forgotten."""
        self.queries[query.id] = query
        if len(self.queries) > KEPT_QUERIES:
            del self.queries[next(iter(self.queries))]

    def publish(self, kind: str, chat: Chat, body: Json) -> None:
        """Tell the watchers; one that doesn't keep up misses the oldest events."""
        event = Event(kind, chat.id, body)
        for watcher, chat_id in self._watchers.items():
            if chat_id is not None and chat_id != chat.id:
                continue
            if watcher.full():
                watcher.get_nowait()
            watcher.put_nowait(event)

    @contextmanager
    def watch(self, chat: Chat | None = None) -> Iterator[asyncio.Queue[Event]]:
        """A feed of all events from now on, or of those in one chat."""
        feed: asyncio.Queue[Event] = asyncio.Queue(KEPT_EVENTS)
        self._watchers[feed] = None if chat is None else chat.id
        try:
            yield feed
        finally:
            del self._watchers[feed]


def _drop(message: Message) -> None:
    """Forget a message, also as the end of a chain of replies that would keep them all."""
    del message.chat.messages[message.id]
    message.reply_to = None
