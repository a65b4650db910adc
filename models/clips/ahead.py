"""Items are fetched ahead and finished behind by other threads, so that no core is idle."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Finished = TypeVar("_Finished")


def fetched_ahead(items: Iterator[_Item]) -> Generator[_Item, None, None]:
    """The same items, none of them None, each fetched in another thread while its predecessor is
    in use. What is raised there is raised here. Whoever goes away early waits for one item.
    """
    with ThreadPoolExecutor(1, "fetching ahead") as worker:
        coming = worker.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = worker.submit(next, items, None)
            yield item


def finished_behind(
    items: Iterator[_Item], finish: Callable[[_Item], _Finished]
) -> Generator[_Finished, None, None]:
    """What `finish` makes of each item in another thread while its successor comes here, in their
    order. What is raised there is raised here. Whoever goes away early waits for one item.
    """
    with ThreadPoolExecutor(1, "finishing behind") as worker:
        before: Future[_Finished] | None = None
        for item in items:
            if before is not None:
                yield before.result()
            before = worker.submit(finish, item)
        if before is not None:
            yield before.result()
