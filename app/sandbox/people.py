"""What a person can do in a chat; each deed becomes the update that Telegram would send."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.sandbox.markup import commands_in
from app.sandbox.world import (
    KEPT_INLINE_QUERIES,
    CallbackQuery,
    Chat,
    InlineQuery,
    Message,
    User,
    World,
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a person picks."""

    data: bytes
    name: str = "photo.jpg"
    mime_type: str = "image/jpeg"


class Person:
    """A user with a phone in hand."""

    def __init__(self, world: World, user: User) -> None:
        self._world = world
        self.user = user
        self.speaks_as: Chat | None = None
        """On behalf of which chat this person writes in groups: the group itself, or a channel."""

    @property
    def chat(self) -> Chat:
        """The private chat with the bot."""
        return self._world.chats[self.user.id]

    def write(
        self, text: str, *, chat: Chat | None = None, reply_to: Message | None = None
    ) -> Message:
        """Send a text or a command."""
        return self._post(_text(text), chat=chat, reply_to=reply_to)

    def edit(self, message: Message, text: str) -> None:
        """Change a text that was sent."""
        self._world.change(message, _text(text), None)
        self._world.updates.add("edited_message", message.as_json())

    def send(self, content: Json, *, chat: Chat | None = None) -> Message:
        """Send anything else: a sticker, a voice message, a location."""
        return self._post(content, chat=chat)

    async def send_photos(
        self,
        *photos: Attachment,
        caption: str = "",
        chat: Chat | None = None,
        reply_to: Message | None = None,
    ) -> list[Message]:
        """Send photos, several as one album. Raises `ApiError` for what is no photo."""
        media = [await self._world.files.add_photo(photo.data) for photo in photos]
        return self._post_media(media, caption, chat, reply_to)

    async def send_files(
        self,
        *files: Attachment,
        caption: str = "",
        chat: Chat | None = None,
        reply_to: Message | None = None,
    ) -> list[Message]:
        """Send files untouched, several as one album."""
        media = [
            self._world.files.add_document(file.data, name=file.name, mime_type=file.mime_type)
            for file in files
        ]
        return self._post_media(media, caption, chat, reply_to)

    async def send_clip(
        self,
        kind: str,
        file: Attachment,
        about: Json,
        *,
        caption: str = "",
        chat: Chat | None = None,
        reply_to: Message | None = None,
    ) -> Message:
        """Send a video, an animation, a video note or a live photo.

        `about` are its sides and its length: a person's client knows them.
        """
        media = self._world.files.add_clip(kind, file.data, name=file.name, about=about)
        return self._post_media([media], caption, chat, reply_to)[0]

    def press(self, message: Message, data: str) -> CallbackQuery:
        """Press an inline button; what `data` says is not checked, as with a forging client."""
        query = CallbackQuery(
            id=str(secrets.randbits(62)),
            person=self.user,
            message=message,
            pressed_at=time.monotonic(),
        )
        self._world.remember(query)
        self._world.updates.add(
            "callback_query",
            {
                "id": query.id,
                "from": self.user.as_json(),
                "message": message.as_json(),
                "chat_instance": str(message.chat.id),
                "data": data,
            },
        )
        return query

    def ask_inline(self, text: str) -> InlineQuery:
        """Type something after the bot's name, in whatever chat."""
        query = InlineQuery(id=str(secrets.randbits(62)), person=self.user)
        queries = self._world.inline_queries
        queries[query.id] = query
        if len(queries) > KEPT_INLINE_QUERIES:
            del queries[next(iter(queries))]
        self._world.updates.add(
            "inline_query",
            {"id": query.id, "from": self.user.as_json(), "query": text, "offset": ""},
        )
        return query

    def send_inline(self, query: InlineQuery, result_id: str, chat: Chat) -> Message:
        """Choose one of the results. Raises LookupError if there is none of that id."""
        if query.contents is None:
            raise LookupError("the query has no answer yet")
        content = query.contents[result_id] | {"via_bot": self._world.bot.as_json()}
        return self._post(content, chat=chat)

    def block(self) -> None:
        """Block the bot: nothing it sends arrives any more."""
        self._set_blocked(True)

    def unblock(self) -> None:
        self._set_blocked(False)

    def _set_blocked(self, blocked: bool) -> None:
        before, after = ("member", "kicked") if blocked else ("kicked", "member")
        self.chat.has_blocked = blocked
        self._world.updates.add(
            "my_chat_member",
            {
                "chat": self.chat.as_json(),
                "from": self.user.as_json(),
                "date": int(time.time()),
                "old_chat_member": self._membership(before),
                "new_chat_member": self._membership(after),
            },
        )

    def _membership(self, status: str) -> Json:
        about: Json = {"user": self._world.bot.as_json(), "status": status}
        return about | {"until_date": 0} if status == "kicked" else about

    def _post_media(
        self, media: Sequence[Json], caption: str, chat: Chat | None, reply_to: Message | None
    ) -> list[Message]:
        group = str(secrets.randbits(50)) if len(media) > 1 else None
        captions = [caption, *[""] * (len(media) - 1)]
        return [
            self._post(content | _caption(text), chat=chat, reply_to=reply_to, group=group)
            for content, text in zip(media, captions, strict=True)
        ]

    def _post(
        self,
        content: Json,
        *,
        chat: Chat | None = None,
        reply_to: Message | None = None,
        group: str | None = None,
    ) -> Message:
        chat = chat or self.chat
        message = self._world.post(
            chat,
            self.user,
            content,
            reply_to=reply_to,
            media_group_id=group,
            sender_chat=None if chat is self.chat else self.speaks_as,
        )
        self._world.updates.add("message", message.as_json())
        return message


def _text(text: str) -> Json:
    content: Json = {"text": text}
    return content | {"entities": found} if (found := commands_in(text)) else content


def _caption(text: str) -> Json:
    if not text:
        return {}
    content: Json = {"caption": text}
    return content | {"caption_entities": found} if (found := commands_in(text)) else content
