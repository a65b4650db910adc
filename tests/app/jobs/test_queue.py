import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

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
    taken = []
    while line:
        taken.append(line.take())
        line.release(taken[-1])
    return taken


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
        job_id = line.take()
        line.release(job_id)
        user_id = users[job_id - 1]
        waiting[user_id] -= 1
        served_since[user_id] = set()
        for other, others_before in served_since.items():
            if other != user_id and waiting[other]:
                assert user_id not in others_before
                others_before.add(user_id)


class LineMachine(RuleBasedStateMachine):
    """Whatever people do, the order is what it will turn out to be, for any number of workers."""

    def __init__(self) -> None:
        super().__init__()
        self.line = FairLine()
        self.waiting: dict[int, int] = {}
        self.in_work: dict[int, int] = {}
        self.next_id = 1

    @initialize(workers=st.integers(min_value=1, max_value=4))
    def open(self, workers: int) -> None:
        self.line.workers = workers

    @rule(user_id=USERS)
    def put(self, user_id: int) -> None:
        self.line.put(self.next_id, user_id)
        self.waiting[self.next_id] = user_id
        self.next_id += 1

    @precondition(lambda self: self.waiting and len(self.in_work) < self.line.workers)
    @rule()
    def take(self) -> None:
        expected = next(iter(self.line))
        assert self.line.take() == expected
        self.in_work[expected] = self.waiting.pop(expected)

    @precondition(lambda self: self.in_work)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.in_work)))
        self.line.release(job_id)
        del self.in_work[job_id]

    @precondition(lambda self: self.in_work)
    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.in_work)))
        self.line.release(job_id)
        self.waiting[job_id] = self.in_work.pop(job_id)
        self.line.put_first(job_id, self.waiting[job_id])

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


@dataclass
class Workers:
    """Some workers before a line, and what fairness forbids from one start to the next."""

    count: int
    line: FairLine = field(init=False)
    waiting: Counter[int] = field(default_factory=Counter)
    in_work: dict[int, int] = field(default_factory=dict)
    begun_since: dict[int, set[int]] = field(default_factory=dict)
    """Of those who wait with nothing in work: who was begun since then."""

    def __post_init__(self) -> None:
        self.line = FairLine(workers=self.count)

    def order(self, job_id: int, user_id: int) -> None:
        self.line.put(job_id, user_id)
        self.waiting[user_id] += 1
        self._look()

    def begin(self, owners: list[int]) -> None:
        """Every idle worker takes a job."""
        while len(self.in_work) < self.count and self.line:
            job_id = self.line.take()
            user_id = owners[job_id]
            assert user_id in self.begun_since or not self.begun_since, "side by side before others"
            for other, begun in self.begun_since.items():
                assert other == user_id or user_id not in begun, "twice while another waits"
                begun.add(user_id)
            self.waiting[user_id] -= 1
            self.in_work[job_id] = user_id
            self._look()
        assert len(self.in_work) == self.count or not any(self.waiting.values())

    def end(self, job_id: int) -> None:
        self.line.release(job_id)
        del self.in_work[job_id]
        self._look()

    def _look(self) -> None:
        served = set(self.in_work.values())
        unserved = {one for one, count in self.waiting.items() if count and one not in served}
        self.begun_since = {one: self.begun_since.get(one, set()) for one in unserved}


@RELAXED
@given(st.integers(min_value=1, max_value=5), st.lists(USERS, max_size=30), st.data())
def test_order_is_fair_however_many_workers_there_are(
    count: int, owners: list[int], data: st.DataObject
) -> None:
    workers, ordered = Workers(count), 0
    ended: list[int] = []
    while len(ended) < len(owners):
        workers.begin(owners)
        may_order = ordered < len(owners)
        if may_order and (not workers.in_work or data.draw(st.booleans())):
            workers.order(ordered, owners[ordered])
            ordered += 1
        else:
            ended.append(data.draw(st.sampled_from(sorted(workers.in_work))))
            workers.end(ended[-1])
    assert sorted(ended) == list(range(len(owners)))


def test_two_of_one_person_are_begun_side_by_side_only_while_nobody_else_waits() -> None:
    line = FairLine(workers=2)
    for job_id in (1, 2, 3):
        line.put(job_id, 1)
    assert [line.take(), line.take()] == [1, 2]
    line.put(4, 2)
    line.put(5, 2)
    assert list(line) == [4, 3, 5]
    line.release(1)
    assert line.take() == 4


def test_what_was_put_back_is_the_next_again() -> None:
    line = line_of(1, 2, 2)
    first = line.take()
    line.release(first)
    line.put_first(first, 1)
    assert take_all(line) == [1, 2, 3]


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
