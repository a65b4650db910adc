"""A day at the queue: `python -m app.jobs.simulation --people 1000 --gpus 1 --seconds 3`.

People come by the hour, order one picture or an album, in the usual mixture of qualities and
sizes, and are served by the bot's own `FairLine`. What one picture takes is told by `--seconds`
(`standard` at 768 px, what `make gpu` measures); the others follow by their pixels and steps.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import math
import random
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from app.jobs.queue import FairLine

HOUR_S = 3600.0
HOURLY_SHARES = (
    *(0.028, 0.018, 0.012, 0.009, 0.008, 0.010, 0.016, 0.026, 0.036, 0.043, 0.047, 0.050),
    *(0.052, 0.052, 0.050, 0.050, 0.052, 0.056, 0.062, 0.068, 0.070, 0.066, 0.055, 0.044),
)
"""Of a day's people in each hour: little at night, most at nine in the evening. An assumption."""
ALBUMS = ((1, 0.60), (2, 0.15), (3, 0.10), (5, 0.08), (10, 0.07))
"""How many pictures a person orders at once, and how many people do. An assumption."""
KINDS = (
    ("standard, 768 px", 1.0, 0.70),
    ("standard, 2048 px", (2048 / 768) ** 2, 0.12),
    ("high, 768 px", 2.4, 0.08),
    ("draft, 768 px", 0.02, 0.10),
)
"""What takes how many times as long as the first, and its share. The shares are an assumption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Who comes, and what they are served by."""

    people: int
    gpus: int
    seconds: float
    """Of one `standard` picture at 768 px on one GPU."""
    max_jobs: int | None = None
    """An order that would make the queue longer than this is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the day went."""

    day: Day
    pictures: int
    refused: int
    """Pictures that the queue had no room for."""
    busiest_hour: int
    """Pictures ordered in it."""
    busy_share: float
    """Of the GPUs' time in the busiest hour."""
    longest_queue: int
    begun_p50_s: float
    begun_p95_s: float
    """From a person's order until its first picture is begun, and so shown as a draft..."""
    begun_of_one_p95_s: float
    """...of those who ordered one..."""
    begun_of_ten_p95_s: float
    """...and of those who ordered ten: nearly the same where the order is fair."""
    ten_done_p95_s: float
    """Until the last of ten is finished."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One person's order."""

    at_s: float
    factors: tuple[float, ...]
    """Of each picture: how many times as long as the usual one."""


@dataclass(slots=True)
class _Served:
    """What became of the pictures of one visit."""

    visit: Visit
    begun_s: float = math.inf
    """When the first of them was."""
    done_s: float = 0.0
    """When the last of them was."""


def visits(people: int, random_: random.Random) -> list[Visit]:
    """A day's orders by time, seconds since midnight."""
    hours = random_.choices(range(len(HOURLY_SHARES)), HOURLY_SHARES, k=people)
    counts = random_.choices([n for n, _ in ALBUMS], [share for _, share in ALBUMS], k=people)
    factors, shares = [each[1] for each in KINDS], [each[2] for each in KINDS]
    return sorted(
        (
            # An album is painted in one quality and size.
            Visit((hour + random_.random()) * HOUR_S, tuple(random_.choices(factors, shares)) * n)
            for hour, n in zip(hours, counts, strict=True)
        ),
        key=lambda visit: visit.at_s,
    )


def simulate(day: Day, *, seed: int = 0) -> Outcome:
    """One day from midnight until the last picture is finished."""
    came = visits(day.people, random.Random(seed))
    queue = _Queue(day)
    for visit in came:
        queue.run_until(visit.at_s)
        queue.order(visit)
    queue.run_until(math.inf)
    return _outcome(day, came, queue)


def gpus_needed(people: int, seconds: float, *, begun_p95_s: float, seed: int = 0) -> Outcome:
    """The day with the fewest GPUs with which 95 % see their first picture begin in time."""

    def tried(gpus: int) -> Outcome:
        return simulate(Day(people=people, gpus=gpus, seconds=seconds), seed=seed)

    enough = next(n for n in _doubling() if tried(n).begun_p95_s <= begun_p95_s)
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        if tried(middle).begun_p95_s <= begun_p95_s:
            enough = middle
        else:
            too_few = middle
    return tried(enough)


def _doubling() -> Iterator[int]:
    return (2**n for n in itertools.count())


class _Queue:
    """The line and the GPUs on a clock of their own."""

    def __init__(self, day: Day) -> None:
        self._day = day
        self._line = FairLine(workers=day.gpus)
        self._ends: list[tuple[float, int]] = []
        """When which job in work is finished, as a heap."""
        self._jobs: dict[int, tuple[float, _Served]] = {}
        self._numbers = itertools.count()
        self.served: list[_Served] = []
        self.refused = self.longest = 0
        self.busy_s = [0.0] * (len(HOURLY_SHARES) + 1)
        """Of all GPUs together, by the hour in which a picture was begun."""

    def order(self, visit: Visit) -> None:
        """A person comes now."""
        limit = self._day.max_jobs
        if limit is not None and len(self._line) + len(visit.factors) > limit:
            self.refused += len(visit.factors)
            return
        user_id, served = len(self.served), _Served(visit)
        self.served.append(served)
        for factor in visit.factors:
            job_id = next(self._numbers)
            self._jobs[job_id] = factor * self._day.seconds, served
            self._line.put(job_id, user_id)
        self._begin(visit.at_s)
        self.longest = max(self.longest, len(self._line))

    def served_of(self, count: int | None) -> list[_Served]:
        """All who were served, or those who ordered so many."""
        return [one for one in self.served if count is None or len(one.visit.factors) == count]

    def run_until(self, now_s: float) -> None:
        """Finish what ends before `now_s`, and begin what waits."""
        while self._ends and self._ends[0][0] <= now_s:
            end_s, job_id = heapq.heappop(self._ends)
            self._line.release(job_id)
            self._jobs.pop(job_id)[1].done_s = end_s
            self._begin(end_s)

    def _begin(self, now_s: float) -> None:
        while self._line and len(self._ends) < self._day.gpus:
            job_id = self._line.take()
            seconds, served = self._jobs[job_id]
            served.begun_s = min(served.begun_s, now_s)
            heapq.heappush(self._ends, (now_s + seconds, job_id))
            self.busy_s[min(int(now_s / HOUR_S), len(HOURLY_SHARES))] += seconds


def _outcome(day: Day, came: Sequence[Visit], queue: _Queue) -> Outcome:
    ordered = [0] * len(HOURLY_SHARES)
    for visit in came:
        ordered[int(visit.at_s / HOUR_S)] += len(visit.factors)
    peak = max(range(len(ordered)), key=ordered.__getitem__)

    def begun(count: int | None = None) -> list[float]:
        return [each.begun_s - each.visit.at_s for each in queue.served_of(count)]

    ten_done = [each.done_s - each.visit.at_s for each in queue.served_of(10)]
    return Outcome(
        day=day,
        pictures=sum(ordered) - queue.refused,
        refused=queue.refused,
        busiest_hour=ordered[peak],
        busy_share=queue.busy_s[peak] / (HOUR_S * day.gpus),
        longest_queue=queue.longest,
        begun_p50_s=_percentile(begun(), 50),
        begun_p95_s=_percentile(begun(), 95),
        begun_of_one_p95_s=_percentile(begun(1), 95),
        begun_of_ten_p95_s=_percentile(begun(10), 95),
        ten_done_p95_s=_percentile(ten_done, 95),
    )


def _percentile(values: Sequence[float], percent: int) -> float:
    if len(values) < 2:
        return values[0] if values else 0.0
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def table(outcomes: Sequence[Outcome]) -> str:
    """As Markdown."""
    lines = [
        "| people a day | s a picture | GPUs | pictures | in the busiest hour | GPUs busy then "
        "| longest queue | begun after p50, s | p95, s | p95 of one / of ten, s "
        "| ten done p95, s |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.day.people:,} | {one.day.seconds:g} | {one.day.gpus} | {one.pictures:,} "
        f"| {one.busiest_hour:,} | {one.busy_share:.0%} | {one.longest_queue:,} "
        f"| {one.begun_p50_s:.0f} | {one.begun_p95_s:.0f} "
        f"| {one.begun_of_one_p95_s:.0f} / {one.begun_of_ten_p95_s:.0f} "
        f"| {one.ten_done_p95_s:.0f} |"
        for one in outcomes
    ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m app.jobs.simulation", description="A day at the queue."
    )
    parser.add_argument("--people", type=int, nargs="+", default=[1000], help="who come in a day")
    parser.add_argument("--seconds", type=float, nargs="+", default=[3.0], help="of one picture")
    parser.add_argument("--gpus", type=int, help="as few as serve 95 %% in time, if not given")
    parser.add_argument("--in-time", type=float, default=30.0, metavar="S", help="begun")
    parser.add_argument("--max-jobs", type=int, help="QUEUE_MAX_JOBS, with --gpus")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    outcomes = []
    for people, seconds in itertools.product(args.people, args.seconds):
        if args.gpus is None:
            outcome = gpus_needed(people, seconds, begun_p95_s=args.in_time, seed=args.seed)
        else:
            day = Day(people=people, gpus=args.gpus, seconds=seconds, max_jobs=args.max_jobs)
            outcome = simulate(day, seed=args.seed)
        outcomes.append(outcome)
    as_json = json.dumps([asdict(one) for one in outcomes], indent=2)
    sys.stdout.write((as_json if args.json else table(outcomes)) + "\n")


if __name__ == "__main__":
    main()
