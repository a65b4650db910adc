"""The next item is made ready while one is in use: a processor's other core is not idle."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")


def fetched_ahead(items: Iterator[_Item]) -> Iterator[_Item]:
    """The same items, none of them None, each fetched in another thread while its predecessor is
    in use. What is raised there is raised here. Whoever goes away early waits for one item.
    """
    with ThreadPoolExecutor(1, "fetching ahead") as worker:
        coming = worker.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = worker.submit(next, items, None)
            yield item
