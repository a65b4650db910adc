import asyncio
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.jobs.queue import FairLine, JobQueue
from tests.app.jobs.data_folder import make_job

USERS = st.integers(min_value=1, max_value=5)
RELAXED = settings(deadline=None, max_examples=60)


def line_of(*users: int) -> FairLine:
    """A line into which these users came one after the other; job n is the nth of them."""
    line = FairLine()
    for job_id, user_id in enumerate(users, start=1):
        line.put(job_id, user_id)
    return line


def take_all(line: FairLine) -> list[int]:
    return [line.take() for _ in range(len(line))]


def test_one_picture_of_a_new_person_comes_before_the_tenth_of_another() -> None:
    assert take_all(line_of(1, 1, 1, 2, 1, 3)) == [1, 4, 6, 2, 3, 5]


def test_nobody_waits_in_an_empty_line() -> None:
    with pytest.raises(LookupError):
        FairLine().take()


@RELAXED
@given(st.lists(USERS))
def test_nothing_is_lost_or_doubled(users: list[int]) -> None:
    assert sorted(take_all(line_of(*users))) == list(range(1, len(users) + 1))


@RELAXED
@given(st.lists(USERS))
def test_first_in_first_out_within_a_user(users: list[int]) -> None:
    by_user = defaultdict(list)
    for job_id in take_all(line_of(*users)):
        by_user[users[job_id - 1]].append(job_id)
    assert all(jobs == sorted(jobs) for jobs in by_user.values())


@RELAXED
@given(st.lists(USERS))
def test_nobody_is_served_twice_while_another_waits(users: list[int]) -> None:
    line = line_of(*users)
    waiting: defaultdict[int, int] = defaultdict(int)
    for user_id in users:
        waiting[user_id] += 1
    served_since: dict[int, set[int]] = {user_id: set() for user_id in waiting}
    while line:
        user_id = users[line.take() - 1]
        waiting[user_id] -= 1
        served_since[user_id] = set()
        for other, others_before in served_since.items():
            if other != user_id and waiting[other]:
                assert user_id not in others_before
                others_before.add(user_id)


class LineMachine(RuleBasedStateMachine):
    """Whatever people do, the order is what it will turn out to be."""

    def __init__(self) -> None:
        super().__init__()
        self.line = FairLine()
        self.waiting: dict[int, int] = {}
        self.next_id = 1

    @rule(user_id=USERS)
    def put(self, user_id: int) -> None:
        self.line.put(self.next_id, user_id)
        self.waiting[self.next_id] = user_id
        self.next_id += 1

    @precondition(lambda self: self.waiting)
    @rule()
    def take(self) -> None:
        expected = next(iter(self.line))
        assert self.line.take() == expected
        del self.waiting[expected]

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        job_id = data.draw(st.integers(min_value=1, max_value=self.next_id))
        assert self.line.remove(job_id) == (self.waiting.pop(job_id, None) is not None)

    @invariant()
    def all_are_there_once(self) -> None:
        assert sorted(self.line) == sorted(self.waiting)
        assert len(self.line) == len(self.waiting)
        for user_id in range(1, 6):
            count = sum(owner == user_id for owner in self.waiting.values())
            assert self.line.count_of(user_id) == count


TestLine = LineMachine.TestCase
TestLine.settings = settings(RELAXED, max_examples=30, stateful_step_count=25)


async def test_consumer_waits_for_the_next_job_and_gets_it() -> None:
    queue = JobQueue(max_jobs=10, max_jobs_per_user=10)
    consumer = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    assert not consumer.done()
    job = make_job(1)
    queue.put_nowait(job)
    assert await consumer is job
    assert queue.empty()


async def test_consumer_whose_job_was_removed_in_time_goes_on_waiting() -> None:
    queue = JobQueue(max_jobs=10, max_jobs_per_user=10)
    consumer = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.put_nowait(make_job(1))
    assert queue.remove(1)
    await asyncio.sleep(0)
    assert not consumer.done()
    queue.put_nowait(make_job(2))
    assert (await consumer).id == 2


async def test_only_changed_places_are_told() -> None:
    queue = JobQueue(max_jobs=10, max_jobs_per_user=10)
    for job_id, user_id in [(1, 1), (2, 1), (3, 1)]:
        queue.put_nowait(make_job(job_id, user_id))
    assert queue.changed_places() == {1, 2, 3}
    queue.put_nowait(make_job(4, user_id=2))
    assert queue.changed_places() == {2, 3, 4}
    queue.remove(3)
    assert queue.changed_places() == set()


@RELAXED
@given(st.lists(USERS, max_size=30))
def test_room_is_what_the_bounds_leave(users: list[int]) -> None:
    asyncio.run(_fill(users))


async def _fill(users: list[int]) -> None:
    queue = JobQueue(max_jobs=8, max_jobs_per_user=3)
    for job_id, user_id in enumerate(users, start=1):
        if queue.room() and queue.room_for(user_id):
            queue.put_nowait(make_job(job_id, user_id))
    waiting = queue.waiting()
    counts = [sum(job.request.user_id == user for job in waiting) for user in set(users)]
    assert len(waiting) == min(8, sum(min(3, users.count(user)) for user in set(users)))
    assert all(count <= 3 for count in counts)
