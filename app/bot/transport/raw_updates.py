"""Updates as they came, before they are aiogram's: who said them, where, and whom they name."""

from __future__ import annotations

from typing import Any, Final

RawUpdate = dict[str, Any]

_NOBODY: Final = {"id": 0, "is_bot": False, "first_name": ""}


def part_of(raw: RawUpdate, name: str) -> RawUpdate:
    """An object in it by its name; an empty one where there is none."""
    part = raw.get(name)
    return part if isinstance(part, dict) else {}


def conversation_of(raw: RawUpdate) -> tuple[int | None, int | None]:
    """Where it was said, and by whom: what the handlers' state depends on."""
    event = next((value for value in raw.values() if isinstance(value, dict)), {})
    place = part_of(event, "message") or event
    chat_id, user_id = _id(part_of(place, "chat")), _id(part_of(event, "from"))
    return (chat_id or user_id, user_id)


def without_person(raw: RawUpdate, user_id: int) -> RawUpdate | None:
    """The update with nobody in the place of this person; None if it is theirs."""
    if user_id in conversation_of(raw):
        return None
    cleaned: RawUpdate = _without(raw, user_id)
    return cleaned


def _without(value: Any, user_id: int) -> Any:
    if isinstance(value, list):
        return [_without(each, user_id) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("id") == user_id and "first_name" in value:
        return dict(_NOBODY)
    return {name: _without(part, user_id) for name, part in value.items()}


def _id(part: RawUpdate) -> int | None:
    value = part.get("id")
    return value if isinstance(value, int) else None
