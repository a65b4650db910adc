"""A bounded memory: what was used longest ago goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class LruCache(Generic[Key, Value]):
    """Values by key, the last used ones kept; used in one thread at a time."""

    def __init__(self, limit: int, *, size_of: Callable[[Value], int] = lambda _: 1) -> None:
        """The kept values' sizes add up to `limit` at most; without `size_of` they are counted."""
        self._limit = limit
        self._size_of = size_of
        self._kept: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        """The value of `key`, used now; None if it is not kept."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key]

    def keep(self, key: Key, value: Value) -> None:
        """Keep `value`, if need be in place of others; one over the limit by itself is not kept."""
        self._kept[key] = value
        self._kept.move_to_end(key)
        total = sum(map(self._size_of, self._kept.values()))
        while total > self._limit:
            total -= self._size_of(self._kept.popitem(last=False)[1])
