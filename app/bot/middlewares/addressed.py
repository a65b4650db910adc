"""In a group the bot hears only what is said to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware, Bot
from aiogram.enums import ChatType, MessageEntityType
from aiogram.types import Message, TelegramObject, Update, User


class AddressedMiddleware(BaseMiddleware):
    """Drops messages in groups that are no command, no reply to the bot and don't mention it."""

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        assert isinstance(event, Update)  # noqa: S101 - registered on nothing else
        message = event.message or event.edited_message
        album: tuple[Message, ...] = data.get("album", ())
        if message is not None and message.chat.type != ChatType.PRIVATE:
            bot: Bot = data["bot"]
            me = await bot.me()
            # Of an album one piece has the caption, and any of them may be the reply.
            if not any(is_addressed(piece, me) for piece in (message, *album)):
                return None
        return await handler(event, data)


def is_addressed(message: Message, me: User) -> bool:
    """Whether a message in a group is meant for the bot."""
    replied_to = message.reply_to_message
    if replied_to is not None and _is(replied_to.from_user, me):
        return True
    text = message.text or message.caption or ""
    mention = f"@{me.username}".casefold()
    for entity in message.entities or message.caption_entities or ():
        words = entity.extract_from(text).casefold()
        if entity.type == MessageEntityType.BOT_COMMAND and entity.offset == 0:
            # "/start" is for every bot of the group, "/start@another_bot" for that one alone.
            return "@" not in words or words.endswith(mention)
        if entity.type == MessageEntityType.MENTION and words == mention:
            return True
        if entity.type == MessageEntityType.TEXT_MENTION and _is(entity.user, me):
            return True
    return False


def _is(user: User | None, me: User) -> bool:
    return user is not None and user.id == me.id
