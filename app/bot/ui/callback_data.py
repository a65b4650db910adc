"""What the buttons of the conversations carry: typed, and theirs alone who were asked."""

from __future__ import annotations

import enum
import re
from typing import Annotated, Final

from aiogram.filters.callback_data import CallbackData
from pydantic import Field

MAX_JOB_ID: Final = 2**63 - 1
JobId = Annotated[int, Field(ge=1, le=MAX_JOB_ID)]
"""A number that SQLite can hold, whatever a forger writes."""


class OwnedCallback(CallbackData, prefix="owned"):
    """A button that only the person who was asked may press; a middleware sees to it."""

    owner: int
    """Its place in the data is the first: `chat_that_owns` reads it there."""


def chat_that_owns(data: object) -> int | None:
    """The chat whose button this is, for an order on behalf of a chat; None for a person's."""
    match data.split(":") if isinstance(data, str) else []:
        case [_, owner, *_] if re.fullmatch(r"-[1-9][0-9]{0,17}", owner):
            return int(owner)
    return None


class SourceCallback(OwnedCallback, prefix="source"):
    """The answer to "one of the ready styles?"."""

    ready: bool


class PresetCallback(OwnedCallback, prefix="preset"):
    """A ready style in the gallery."""

    slug: str


class GalleryAction(enum.StrEnum):
    """What else can be done in the gallery."""

    MIX = "mix"
    PAINT = "paint"


class GalleryCallback(OwnedCallback, prefix="gallery"):
    """A button below the ready styles."""

    action: GalleryAction


class Paged(enum.StrEnum):
    """The lists that are shown page by page."""

    GALLERY = "gallery"
    QUEUE = "queue"
    ADDED = "added"


class PageCallback(OwnedCallback, prefix="page"):
    """Turns to a page of a list; `number` is from 0."""

    of: Paged
    number: int


class RoleCallback(OwnedCallback, prefix="role"):
    """The number of the picture that was asked for."""

    number: int


class CancelCallback(OwnedCallback, prefix="cancel"):
    """A change of mind."""


class DataTopic(enum.StrEnum):
    """The answers in the conversation about a person's data."""

    YES = "yes"
    NO = "no"
    ID = "id"
    NICKNAME = "nickname"


class DataCallback(OwnedCallback, prefix="data"):
    """An answer in that conversation."""

    topic: DataTopic
