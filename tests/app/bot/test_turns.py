"""Orders take turns; nobody's turn is lost, and none is held while one waits."""

from __future__ import annotations

import asyncio

import pytest

from app.bot.turns import Turns, between_turns


class Work:
    """How many are at it, and how many were at most."""

    def __init__(self) -> None:
        self.now = self.most = self.done = 0

    async def __call__(self) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.01)
        self.now -= 1
        self.done += 1


@pytest.fixture
def work() -> Work:
    return Work()


async def assert_all_are_free(turns: Turns, count: int) -> None:
    work = Work()

    async def one() -> None:
        async with turns.take():
            await work()

    async with asyncio.timeout(5):
        await asyncio.gather(*(one() for _ in range(3 * count)))
    assert work.most == count


async def test_so_many_at_once_and_then_the_next(work: Work) -> None:
    turns = Turns(2)

    async def order() -> None:
        async with turns.take():
            await work()

    await asyncio.gather(*(order() for _ in range(6)))
    assert (work.most, work.done) == (2, 6)


async def test_who_waits_for_others_is_in_nobody_s_way(work: Work) -> None:
    turns, answer = Turns(1), asyncio.Event()

    async def order() -> None:
        async with turns.take():
            async with between_turns(), between_turns():
                await answer.wait()
            await work()

    waiting = [asyncio.create_task(order()) for _ in range(3)]
    await asyncio.sleep(0.01)
    async with asyncio.timeout(1), turns.take():
        pass
    answer.set()
    await asyncio.gather(*waiting)
    assert (work.most, work.done) == (1, 3), "each goes on in a turn again"
    await assert_all_are_free(turns, 1)


async def test_a_task_that_was_started_in_a_turn_has_no_part_in_it() -> None:
    turns, answer = Turns(1), asyncio.Event()

    async def beside() -> None:
        async with between_turns():
            await answer.wait()

    async with turns.take():
        task = asyncio.create_task(beside())
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), turns.take():
                pytest.fail("the turn was given away by somebody else")
    answer.set()
    await task
    await assert_all_are_free(turns, 1)


async def test_who_is_cut_short_leaves_as_many_turns_as_there_were() -> None:
    turns, answer = Turns(2), asyncio.Event()

    async def order() -> None:
        async with turns.take(), between_turns():
            await answer.wait()

    async with turns.take(), turns.take():
        at_the_line = asyncio.create_task(turns.take().__aenter__())
        await asyncio.sleep(0)
        at_the_line.cancel()
    one, other = asyncio.create_task(order()), asyncio.create_task(order())
    await asyncio.sleep(0.01)
    one.cancel()  # while it waits for an answer
    await asyncio.gather(one, return_exceptions=True)
    async with turns.take(), turns.take():
        answer.set()
        await asyncio.sleep(0.01)
        other.cancel()  # while it waits to go on
        await asyncio.gather(other, return_exceptions=True)
    await assert_all_are_free(turns, 2)


async def test_outside_of_a_turn_there_is_nothing_to_give_away() -> None:
    async with between_turns():
        pass
