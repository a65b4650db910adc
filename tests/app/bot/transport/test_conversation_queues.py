"""Order within a conversation, none between them, and albums in one piece."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import pytest

from app.bot.transport.conversation_queues import (
    MAX_ALBUM,
    MAX_IN_HAND,
    MAX_PER_CHAT,
    MAX_PER_CONVERSATION,
    MAX_PER_PERSON,
    ConversationQueues,
    Outcome,
)
from app.bot.transport.senders import Conversation, RawUpdate
from tests.app.bot.reporter_harness import eventually
from tests.patience import PATIENCE_S

PAUSE_S = 0.1
ANNA, BEN = Conversation(1, 1), Conversation(2, 2)


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
        queues.put(ANNA, update(number))
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
    queues.put(ANNA, update(1))
    queues.put(BEN, update(2))
    await eventually(lambda: len(handler.handed) == 2)
    await queues.close(0)


async def test_an_album_is_one_entry_also_when_its_pieces_come_in_turns(
    queues: ConversationQueues, handler: Handler
) -> None:
    for number in (1, 2, 3):
        queues.put(ANNA, update(number, album="a"))
        await asyncio.sleep(PAUSE_S * 0.6)
    queues.put(ANNA, update(4))
    await eventually(lambda: len(handler.handed) == 2)
    assert handler.handed == [[1, 2, 3], [4]]


async def test_two_albums_at_once_stay_two(queues: ConversationQueues, handler: Handler) -> None:
    for number in range(4):
        queues.put(ANNA, update(number, album="ab"[number % 2]))
    await eventually(lambda: len(handler.handed) == 2)
    assert handler.handed == [[0, 2], [1, 3]]


async def test_a_late_piece_is_not_lost(queues: ConversationQueues, handler: Handler) -> None:
    queues.put(ANNA, update(1, album="a"))
    await eventually(lambda: handler.handed)
    queues.put(ANNA, update(2, album="a"))
    await eventually(lambda: len(handler.handed) == 2)
    assert handler.handed == [[1], [2]]


async def test_a_full_album_waits_for_no_more(handler: Handler) -> None:
    queues = ConversationQueues(handler, album_pause_s=60)
    for number in range(MAX_ALBUM):
        queues.put(ANNA, update(number, album="a"))
    await eventually(lambda: handler.handed)
    assert handler.handed == [list(range(MAX_ALBUM))]


async def test_a_handler_that_fails_blocks_nobody(handler: Handler) -> None:
    async def failing(updates: Sequence[RawUpdate]) -> None:
        await handler(updates)
        if updates[0]["update_id"] == 1:
            raise RuntimeError("a bug")

    queues = ConversationQueues(failing, album_pause_s=PAUSE_S)
    queues.put(ANNA, update(1))
    queues.put(ANNA, update(2))
    await eventually(lambda: len(handler.handed) == 2)


def hold_all(handler: Handler, count: int = 3 * MAX_IN_HAND) -> None:
    for number in range(count):
        handler.hold(number)


async def test_there_is_an_end_to_what_is_kept_in_memory(
    queues: ConversationQueues, handler: Handler
) -> None:
    hold_all(handler, MAX_IN_HAND)
    for number in range(MAX_IN_HAND):
        assert queues.put(Conversation(number, number), update(number)) is Outcome.TAKEN
    waiting = asyncio.create_task(queues.room())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    handler.hold(0).set()
    await waiting
    await queues.close(0)


def put_all(queues: ConversationQueues, conversations: Iterable[Conversation]) -> list[Outcome]:
    return [queues.put(each, update(number)) for number, each in enumerate(conversations)]


async def comes_in(queues: ConversationQueues, conversation: Conversation) -> bool:
    """Whether updates are fetched, and one of this conversation is taken."""
    async with asyncio.timeout(PATIENCE_S):
        await queues.room()
    return queues.put(conversation, update(10**6)) is Outcome.TAKEN


GROUPS, PEOPLE = range(-40, 0), range(1, 41)
CROWDS = {
    "one person in one chat": ([1], [1], MAX_PER_CONVERSATION),
    "many people in one chat": ([-1], PEOPLE, MAX_PER_CHAT),
    "one person in many chats": (GROUPS, [1], MAX_PER_PERSON),
    "a few people in many chats": (GROUPS, PEOPLE[:5], 5 * MAX_PER_PERSON),
    "many people in many chats": (GROUPS, PEOPLE, MAX_IN_HAND),
}


@pytest.mark.parametrize("crowd", CROWDS)
async def test_no_flood_takes_all_the_room(
    queues: ConversationQueues, handler: Handler, crowd: str
) -> None:
    chats, people, bound = CROWDS[crowd]
    conversations = [Conversation(chat, person) for chat in chats for person in people]
    each = 3 * MAX_IN_HAND // len(conversations)
    hold_all(handler)
    outcomes = put_all(queues, conversations * each)
    assert outcomes.count(Outcome.TAKEN) <= min(bound, MAX_IN_HAND - 1)
    assert outcomes.count(Outcome.FIRST_REFUSED) <= len(chats) + len(people)
    assert Outcome.FIRST_REFUSED in outcomes
    assert await comes_in(queues, Conversation(999, 999))
    if len(chats) == 1:
        assert await comes_in(queues, Conversation(chats[0], 998)), "in the flooded chat"
    await queues.close(0)


async def test_who_flooded_is_heard_again_and_told_again(
    queues: ConversationQueues, handler: Handler
) -> None:
    for _ in range(2):
        for held in handler.held.values():
            held.clear()
        hold_all(handler, 2 * MAX_PER_CONVERSATION)
        outcomes = put_all(queues, [ANNA] * 2 * MAX_PER_CONVERSATION)
        assert outcomes.count(Outcome.TAKEN) == MAX_PER_CONVERSATION
        assert outcomes.count(Outcome.FIRST_REFUSED) == 1
        for held in handler.held.values():
            held.set()
        await eventually(lambda: not queues._queues)


async def test_channel_posts_are_nobody_s_but_their_channel_s(queues: ConversationQueues) -> None:
    put_all(queues, [Conversation(-1, None)] * MAX_IN_HAND)
    assert await comes_in(queues, Conversation(-2, None))
    await queues.close(0)


async def test_a_press_on_behalf_of_a_chat_takes_its_presser_s_share(
    queues: ConversationQueues, handler: Handler
) -> None:
    hold_all(handler)
    groups = [Conversation(chat, chat) for chat in GROUPS]
    outcomes = [queues.put(each, update(0), sender=7) for each in groups * MAX_PER_CONVERSATION]
    assert outcomes.count(Outcome.TAKEN) <= MAX_PER_PERSON
    assert await comes_in(queues, Conversation(-1, 8))
    await queues.close(0)


async def test_closing_lets_handlers_finish_and_cuts_short_those_that_don_t(
    queues: ConversationQueues, handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    first, _ = handler.hold(1), handler.hold(2)
    queues.put(ANNA, update(1))
    queues.put(BEN, update(2))
    queues.put(BEN, update(3))
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
        queues.put(ANNA, update(number))
    queues.put(BEN, update(3))
    await eventually(lambda: len(handler.handed) == 2)
    async with queues.emptied(ANNA.user_id or 0):
        queues.put(ANNA, update(4))
        await asyncio.sleep(0.05)
        assert handler.handed == [[1], [3]], "nothing of hers begins"
        assert queues.is_waiting(ANNA.user_id or 0)
    await eventually(lambda: handler.handed == [[1], [3], [4]])


async def test_who_empties_a_conversation_may_be_its_own_handler() -> None:
    handed: list[int] = []

    async def handle(updates: Sequence[RawUpdate]) -> None:
        handed.append(updates[0]["update_id"])
        if handed == [1]:
            async with own_queues.emptied(ANNA.user_id or 0):
                await asyncio.sleep(0.01)

    own_queues = ConversationQueues(handle, album_pause_s=PAUSE_S)
    for number in (1, 2):
        own_queues.put(ANNA, update(number))
    await eventually(lambda: handed)
    await own_queues.close(5)
    assert handed == [1]
