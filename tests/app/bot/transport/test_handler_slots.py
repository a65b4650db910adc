"""Few handlers work at once; no slot is lost, and none is held while its handler waits."""

from __future__ import annotations

import asyncio

import pytest

from app.bot.transport.handler_slots import HandlerSlots, slot_released


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


async def assert_all_are_free(slots: HandlerSlots, count: int) -> None:
    work = Work()

    async def one() -> None:
        async with slots.take():
            await work()

    async with asyncio.timeout(5):
        await asyncio.gather(*(one() for _ in range(3 * count)))
    assert work.most == count


async def test_so_many_at_once_and_then_the_next(work: Work) -> None:
    slots = HandlerSlots(2)

    async def order() -> None:
        async with slots.take():
            await work()

    await asyncio.gather(*(order() for _ in range(6)))
    assert (work.most, work.done) == (2, 6)


async def test_who_waits_for_others_is_in_nobody_s_way(work: Work) -> None:
    slots, answer = HandlerSlots(1), asyncio.Event()

    async def order() -> None:
        async with slots.take():
            async with slot_released(), slot_released():
                await answer.wait()
            await work()

    waiting = [asyncio.create_task(order()) for _ in range(3)]
    await asyncio.sleep(0.01)
    async with asyncio.timeout(1), slots.take():
        pass
    answer.set()
    await asyncio.gather(*waiting)
    assert (work.most, work.done) == (1, 3), "each goes on in a slot again"
    await assert_all_are_free(slots, 1)


async def test_a_task_that_was_started_in_a_slot_has_no_part_in_it() -> None:
    slots, answer = HandlerSlots(1), asyncio.Event()

    async def beside() -> None:
        async with slot_released():
            await answer.wait()

    async with slots.take():
        task = asyncio.create_task(beside())
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), slots.take():
                pytest.fail("the slot was released by somebody else")
    answer.set()
    await task
    await assert_all_are_free(slots, 1)


async def test_who_is_cut_short_leaves_as_many_slots_as_there_were() -> None:
    slots, answer = HandlerSlots(2), asyncio.Event()

    async def order() -> None:
        async with slots.take(), slot_released():
            await answer.wait()

    async with slots.take(), slots.take():
        at_the_line = asyncio.create_task(slots.take().__aenter__())
        await asyncio.sleep(0)
        at_the_line.cancel()
    one, other = asyncio.create_task(order()), asyncio.create_task(order())
    await asyncio.sleep(0.01)
    one.cancel()  # while it waits for an answer
    await asyncio.gather(one, return_exceptions=True)
    async with slots.take(), slots.take():
        answer.set()
        await asyncio.sleep(0.01)
        other.cancel()  # while it waits to go on
        await asyncio.gather(other, return_exceptions=True)
    await assert_all_are_free(slots, 2)


async def test_outside_of_a_slot_there_is_nothing_to_release() -> None:
    async with slot_released():
        pass
