"""Lists that grow are shown page by page: Telegram takes 100 buttons with a message at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from aiogram.types import InlineKeyboardButton

from app.bot.ui.callback_data import PageCallback, Paged

T = TypeVar("T")

PAGE_SIZE: Final = 24


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list."""

    items: tuple[T, ...]
    number: int
    """From 0."""
    count: int
    """How many pages there are, one at least."""

    @property
    def first(self) -> int:
        """The place of its first item in the list, from 0."""
        return self.number * PAGE_SIZE


def page_of(items: Sequence[T], number: int) -> Page[T]:
    """The page of this number, or the nearest one: a list may have grown shorter meanwhile."""
    count = max(1, -(-len(items) // PAGE_SIZE))
    number = min(max(number, 0), count - 1)
    start = number * PAGE_SIZE
    return Page(tuple(items[start : start + PAGE_SIZE]), number, count)


def turning_buttons(page: Page[Any], paged: Paged, owner: int) -> list[InlineKeyboardButton]:
    """A button to the page before and one to the next, as far as there are such."""
    labels = {page.number - 1: "◀️ {}/{}", page.number + 1: "{}/{} ▶️"}
    return [
        InlineKeyboardButton(
            text=label.format(number + 1, page.count),
            callback_data=PageCallback(owner=owner, of=paged, number=number).pack(),
        )
        for number, label in labels.items()
        if 0 <= number < page.count
    ]
