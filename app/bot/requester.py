"""Who asks for something, and where the answer belongs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from aiogram.types import CallbackQuery, Message, ReplyParameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """Who asked for something, where and by which message or button."""

    origin: str
    user_id: int
    chat_id: int
    message_id: int
    """What they wrote, or what they pressed."""
    language: str
    thread_id: int | None = None
    reply_to: int | None = None

    @classmethod
    def of(cls, event: Message | CallbackQuery, *, language: str) -> Self:
        """Read them off a message or a pressed button. Raises ValueError if nobody sent it."""
        message = event if isinstance(event, Message) else event.message
        if event.from_user is None or message is None:
            raise ValueError("it comes from no person or no chat")
        in_topic = isinstance(message, Message) and message.is_topic_message
        return cls(
            # Not the update's number: after an idle week those start again anywhere.
            origin=(
                f"message:{message.chat.id}:{message.message_id}"
                if isinstance(event, Message)
                else f"button:{event.id}"
            ),
            user_id=event.from_user.id,
            chat_id=message.chat.id,
            message_id=message.message_id,
            language=language,
            thread_id=getattr(message, "message_thread_id", None) if in_topic else None,
            reply_to=None if message.chat.type == "private" else message.message_id,
        )


def as_reply(message_id: int | None) -> ReplyParameters | None:
    """An answer to that message, or a plain one where it is gone."""
    if message_id is None:
        return None
    return ReplyParameters(message_id=message_id, allow_sending_without_reply=True)
