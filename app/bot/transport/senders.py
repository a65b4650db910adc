"""Who said an update, and where, read off it before anything else happens to it."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from app.bot.ui.callback_data import chat_that_owns

RawUpdate = dict[str, Any]
"""As it came: whoever handles it makes aiogram's model of it; nobody waits for that here."""

_NOBODY: Final = {"id": 0, "is_bot": False, "first_name": ""}


class Conversation(NamedTuple):
    """What the handlers' state depends on: who, and where."""

    chat_id: int | None
    user_id: int | None


def with_real_sender(raw: RawUpdate) -> RawUpdate:
    """The update with the chat as its sender, where somebody writes on behalf of a chat.

    For an anonymous administrator Telegram names the group in `sender_chat`, for somebody who
    writes as a channel the channel; `from` then is one and the same made-up user all over Telegram
    (https://core.telegram.org/bots/api#message). Their settings, limits and orders would be
    everybody's. Ids of chats are negative, so they are nobody else's.
    """
    for kind in ("message", "edited_message"):
        message, chat = part_of(raw, kind), part_of(part_of(raw, kind), "sender_chat")
        if "from" in message and _id(chat) is not None:
            sender = {"id": chat["id"], "is_bot": False, "first_name": chat.get("title") or ""}
            if "username" in chat:
                sender["username"] = chat["username"]
            return {**raw, kind: {**message, "from": sender}}
    return raw


def conversation_of(raw: RawUpdate) -> Conversation:
    """Who said it, and where; a button of what a chat ordered belongs to that chat."""
    event = _event_of(raw)
    place = part_of(event, "message") or event
    chat_id, user_id = _id(part_of(place, "chat")), sender_of(raw)
    if (owner := chat_that_owns(event.get("data"))) is not None and "callback_query" in raw:
        user_id = owner
    return Conversation(chat_id or user_id, user_id)


def sender_of(raw: RawUpdate) -> int | None:
    """The person, or the chat on behalf of which somebody speaks."""
    return _id(part_of(_event_of(raw), "from"))


def without_person(raw: RawUpdate, user_id: int) -> RawUpdate | None:
    """The update with nobody in the place of this person; None if it is theirs."""
    raw = with_real_sender(raw)
    conversation = conversation_of(raw)
    if user_id in {conversation.user_id, sender_of(raw)}:
        return None
    if user_id > 0 and conversation.chat_id == user_id:  # theirs alone; a group is not
        return None
    cleaned: RawUpdate = _without(raw, user_id)
    return cleaned


def part_of(raw: RawUpdate, name: str) -> RawUpdate:
    """An object in it by its name; an empty one where there is none."""
    part = raw.get(name)
    return part if isinstance(part, dict) else {}


def _without(value: Any, user_id: int) -> Any:
    if isinstance(value, list):
        return [_without(each, user_id) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("id") == user_id and "first_name" in value:
        return dict(_NOBODY)
    return {name: _without(part, user_id) for name, part in value.items()}


def _event_of(raw: RawUpdate) -> RawUpdate:
    return next((value for value in raw.values() if isinstance(value, dict)), {})


def _id(part: RawUpdate) -> int | None:
    value = part.get("id")
    return value if isinstance(value, int) else None
