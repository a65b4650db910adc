"""Items fetched ahead, and what goes wrong with them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.clips.ahead import fetched_ahead


def test_all_items_come_in_their_order() -> None:
    assert list(fetched_ahead(iter(range(5)))) == list(range(5))
    assert list(fetched_ahead(iter(()))) == []


def test_the_next_one_is_fetched_and_no_more() -> None:
    fetched: list[int] = []

    def items() -> Iterator[int]:
        for number in range(5):
            fetched.append(number)
            yield number

    for number in fetched_ahead(items()):
        if number == 2:
            break
    assert fetched == [0, 1, 2, 3]


def test_what_is_raised_there_is_raised_here() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("gone")

    found = fetched_ahead(items())
    assert next(found) == 1
    with pytest.raises(KeyError, match="gone"):
        next(found)
