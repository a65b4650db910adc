"""What stays in a bounded memory."""

from __future__ import annotations

from models.lru_cache import LruCache


def test_what_was_used_longest_ago_goes_first() -> None:
    cache = LruCache[str, int](2)
    cache.keep("a", 1)
    cache.keep("b", 2)
    assert cache.get("a") == 1
    cache.keep("c", 3)
    assert cache.get("b") is None
    assert (cache.get("a"), cache.get("c")) == (1, 3)


def test_sizes_count() -> None:
    cache = LruCache[str, str](5, size_of=len)
    cache.keep("a", "xx")
    cache.keep("b", "xx")
    cache.keep("a", "xxxx")
    assert cache.get("b") is None
    assert cache.get("a") == "xxxx"
    cache.keep("c", "much too long")
    assert cache.get("c") is None
