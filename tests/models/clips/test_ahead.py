"""Items fetched ahead and finished behind, and what goes wrong with them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from models.clips.ahead import fetched_ahead, finished_behind


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


def test_all_are_finished_in_their_order() -> None:
    assert list(finished_behind(iter(range(5)), str)) == list("01234")
    assert list(finished_behind(iter(()), str)) == []


def test_one_is_finished_while_the_next_one_comes() -> None:
    second_comes = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        second_comes.set()
        yield 2

    assert list(finished_behind(items(), lambda _: second_comes.wait(10))) == [True, True]


def test_whoever_goes_away_waits_for_what_is_being_finished() -> None:
    finished: list[int] = []

    def finish(number: int) -> int:
        time.sleep(0.05)
        finished.append(number)
        return number

    def items() -> Iterator[int]:
        yield from range(3)
        raise ConnectionError

    with closing(finished_behind(items(), finish)) as found, pytest.raises(ConnectionError):
        for _ in found:
            pass
    assert finished == [0, 1, 2]


def test_what_is_raised_while_finishing_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        list(finished_behind(iter((1, 0, 2)), lambda number: 1 // number))
