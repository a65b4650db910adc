"""Turns at decoding: round between people, within the memory, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from app.decoding.queue import MAX_OVERTAKEN, DecodingQueue

ANNA, BEN, CORA = 1, 2, 3


@dataclass
class Scene:
    """People who wait for turns; what is written down is who got one, in order."""

    queue: DecodingQueue
    begun: list[str] = field(default_factory=list)
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    ends: dict[str, asyncio.Event] = field(default_factory=dict)

    async def asks(self, name: str, user_id: int, needed_bytes: int = 1) -> None:
        self.ends[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._take(name, user_id, needed_bytes))
        await settle()

    async def ends_with(self, name: str) -> None:
        self.ends[name].set()
        await self.tasks[name]
        await settle()

    async def _take(self, name: str, user_id: int, needed_bytes: int) -> None:
        async with self.queue.turn(user_id, needed_bytes):
            self.begun.append(name)
            await self.ends[name].wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def scene() -> Scene:
    return Scene(DecodingQueue(at_once=2, memory_bytes=100))


async def test_one_person_s_many_pictures_leave_room_for_the_others(scene: Scene) -> None:
    for number in range(3):
        await scene.asks(f"anna {number}", ANNA)
    await scene.asks("ben", BEN)
    assert scene.begun == ["anna 0", "ben"], "one of each person at a time"
    await scene.asks("cora", CORA)
    await scene.ends_with("anna 0")
    assert scene.begun[2:] == ["cora"], "Anna has had a turn, Cora none"


async def test_what_does_not_fit_waits_and_what_fits_goes_first(scene: Scene) -> None:
    await scene.asks("large", ANNA, 70)
    await scene.asks("too large beside it", BEN, 70)
    await scene.asks("small", CORA, 10)
    assert scene.begun == ["large", "small"]
    await scene.ends_with("large")
    assert scene.begun[2:] == ["too large beside it"]


async def test_a_large_picture_is_not_overtaken_for_ever(scene: Scene) -> None:
    await scene.asks("first", ANNA, 70)
    await scene.asks("large", BEN, 70)
    for number in range(MAX_OVERTAKEN):
        await scene.asks(f"small {number}", CORA, 10)
        await scene.ends_with(f"small {number}")
    await scene.asks("one too many", CORA, 10)
    assert "one too many" not in scene.begun
    await scene.ends_with("first")
    assert scene.begun[-2:] == ["large", "one too many"]


async def test_what_needs_more_than_there_is_gets_all_of_it(scene: Scene) -> None:
    await scene.asks("enormous", ANNA, 1000)
    assert scene.begun == ["enormous"]


async def test_who_gives_up_leaves_nothing_behind(scene: Scene) -> None:
    await scene.asks("a", ANNA, 60)
    await scene.asks("b", BEN, 60)
    for name in ("b", "a"):
        scene.tasks[name].cancel()
        await asyncio.gather(scene.tasks[name], return_exceptions=True)
    await scene.asks("whole", BEN, 100)
    assert scene.begun == ["a", "whole"]


async def test_a_turn_that_comes_in_the_moment_of_giving_up_goes_to_the_next(scene: Scene) -> None:
    await scene.asks("a", ANNA, 100)
    await scene.asks("b", BEN, 100)
    await scene.asks("c", CORA, 100)
    scene.ends["a"].set()
    await asyncio.sleep(0)  # `a` wakes up, and hands its turn on
    scene.tasks["b"].cancel()
    await settle()
    assert scene.begun == ["a", "c"]
