"""Order within a conversation, none between them, and albums in one piece."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from app.bot.transport.conversation_queues import (
    MAX_ALBUM,
    MAX_IN_HAND,
    MAX_PER_CONVERSATION,
    ConversationQueues,
)
from app.bot.transport.raw_updates import RawUpdate
from tests.app.bot.reporter_harness import eventually

PAUSE_S = 0.1


def update(number: int, *, album: str | None = None) -> RawUpdate:
    message = {
        "message_id": number,
        "date": 0,
        "chat": {"id": 1, "type": "private"},
        "media_group_id": album,
    }
    return {"update_id": number, "message": message}


class Handler:
    """Notes what it is handed; holds on to an update until it is let go."""

    def __init__(self) -> None:
        self.handed: list[list[int]] = []
        self.held: dict[int, asyncio.Event] = {}

    def hold(self, number: int) -> asyncio.Event:
        return self.held.setdefault(number, asyncio.Event())

    async def __call__(self, updates: Sequence[RawUpdate]) -> None:
        self.handed.append([each["update_id"] for each in updates])
        held = self.held.get(updates[0]["update_id"])
        if held is not None:
            await held.wait()


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
async def queues(handler: Handler) -> ConversationQueues:
    return ConversationQueues(handler, album_pause_s=PAUSE_S)


async def test_one_conversation_is_handled_in_order(
    queues: ConversationQueues, handler: Handler
) -> None:
    first = handler.hold(1)
    for number in (1, 2, 3):
        queues.put("anna", update(number))
    await eventually(lambda: handler.handed)
    await asyncio.sleep(0)
    assert handler.handed == [[1]]
    first.set()
    await eventually(lambda: len(handler.handed) == 3)
    assert handler.handed == [[1], [2], [3]]


async def test_conversations_don_t_wait_for_each_other(
    queues: ConversationQueues, handler: Handler
) -> None:
    handler.hold(1)
    queues.put("anna", update(1))
    queues.put("ben", update(2))
    await eventually(lambda: len(handler.handed) == 2)
    await queues.close(0)


async def test_an_album_is_one_entry_also_when_its_pieces_come_in_turns(
    queues: ConversationQueues, handler: Handler
) -> None:
    for number in (1, 2, 3):
        queues.put("anna", update(number, album="a"))
        await asyncio.sleep(PAUSE_S * 0.6)
    queues.put("anna", update(4))
    await eventually(lambda: len(handler.handed) == 2)
    assert handler.handed == [[1, 2, 3], [4]]


async def test_two_albums_at_once_stay_two(queues: ConversationQueues, handler: Handler) -> None:
    for number in range(4):
        queues.put("anna", update(number, album="ab"[number % 2]))
    await eventually(lambda: len(handler.handed) == 2)
    assert handler.handed == [[0, 2], [1, 3]]


async def test_a_late_piece_is_not_lost(queues: ConversationQueues, handler: Handler) -> None:
    queues.put("anna", update(1, album="a"))
    await eventually(lambda: handler.handed)
    queues.put("anna", update(2, album="a"))
    await eventually(lambda: len(handler.handed) == 2)
    assert handler.handed == [[1], [2]]


async def test_a_full_album_waits_for_no_more(handler: Handler) -> None:
    queues = ConversationQueues(handler, album_pause_s=60)
    for number in range(MAX_ALBUM):
        queues.put("anna", update(number, album="a"))
    await eventually(lambda: handler.handed)
    assert handler.handed == [list(range(MAX_ALBUM))]


async def test_a_handler_that_fails_blocks_nobody(handler: Handler) -> None:
    async def failing(updates: Sequence[RawUpdate]) -> None:
        await handler(updates)
        if updates[0]["update_id"] == 1:
            raise RuntimeError("a bug")

    queues = ConversationQueues(failing, album_pause_s=PAUSE_S)
    queues.put("anna", update(1))
    queues.put("anna", update(2))
    await eventually(lambda: len(handler.handed) == 2)


async def test_there_is_an_end_to_what_is_kept_in_memory(
    queues: ConversationQueues, handler: Handler
) -> None:
    first, *_ = [handler.hold(number) for number in range(0, MAX_IN_HAND, 100)]
    for number in range(MAX_IN_HAND):
        queues.put(number // 100, update(number))
    waiting = asyncio.create_task(queues.room())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    first.set()
    await waiting
    await queues.close(0)


async def test_one_person_can_not_take_all_the_room(
    queues: ConversationQueues, handler: Handler
) -> None:
    first = handler.hold(0)
    queues.put("flood", update(0))
    await eventually(lambda: handler.handed)
    taken = [queues.put("flood", update(number)) for number in range(1, 2 * MAX_IN_HAND)]
    assert taken.count(True) == MAX_PER_CONVERSATION
    async with asyncio.timeout(1):
        await queues.room()
    assert queues.put("ben", update(9999))
    first.set()
    await eventually(lambda: len(handler.handed) == MAX_PER_CONVERSATION + 2)
    assert queues.put("flood", update(10_000))


async def test_closing_lets_handlers_finish_and_cuts_short_those_that_don_t(
    queues: ConversationQueues, handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    first, _ = handler.hold(1), handler.hold(2)
    queues.put("anna", update(1))
    queues.put("ben", update(2))
    queues.put("ben", update(3))
    await eventually(lambda: len(handler.handed) == 2)
    first.set()
    await queues.close(0.05)
    assert [3] not in handler.handed
    assert "1 conversations cut short" in caplog.text
    await queues.close(0.05)


async def test_an_emptied_conversation_drops_what_waits_and_cuts_its_handlers_short(
    queues: ConversationQueues, handler: Handler
) -> None:
    handler.hold(1)
    for number in (1, 2):
        queues.put("anna", update(number))
    queues.put("ben", update(3))
    await eventually(lambda: len(handler.handed) == 2)
    async with queues.emptied(lambda key: key == "anna"):
        queues.put("anna", update(4))
        await asyncio.sleep(0.05)
        assert handler.handed == [[1], [3]], "nothing of hers begins"
        assert queues.is_waiting(lambda key: key == "anna")
    await eventually(lambda: handler.handed == [[1], [3], [4]])


async def test_who_empties_a_conversation_may_be_its_own_handler() -> None:
    handed: list[int] = []

    async def handle(updates: Sequence[RawUpdate]) -> None:
        handed.append(updates[0]["update_id"])
        if handed == [1]:
            async with own_queues.emptied(lambda key: key == "anna"):
                await asyncio.sleep(0.01)

    own_queues = ConversationQueues(handle, album_pause_s=PAUSE_S)
    for number in (1, 2):
        own_queues.put("anna", update(number))
    await eventually(lambda: handed)
    await own_queues.close(5)
    assert handed == [1]
