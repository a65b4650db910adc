"""The simulated day: nothing lost, and the figures that follow from a queue that anybody knows."""

from __future__ import annotations

import json
import random

import pytest

from app.jobs.simulation import HOUR_S, KINDS, Day, gpus_needed, main, simulate, visits

MEAN_FACTOR = sum(factor * share for _, factor, share in KINDS)


def day(people: int = 300, gpus: int = 1, seconds: float = 3.0, max_jobs: int | None = None) -> Day:
    return Day(people=people, gpus=gpus, seconds=seconds, max_jobs=max_jobs)


def test_people_come_by_the_hour_and_most_in_the_evening() -> None:
    came = visits(5000, random.Random(1))
    hours = [int(visit.at_s / HOUR_S) for visit in came]
    assert [visit.at_s for visit in came] == sorted(visit.at_s for visit in came)
    assert hours.count(20) > 4 * hours.count(3)
    assert {len(visit.factors) for visit in came} == {1, 2, 3, 5, 10}


def test_with_room_for_all_nobody_waits() -> None:
    outcome = simulate(day(people=100, gpus=1000))
    assert outcome.longest_queue == 0
    assert outcome.begun_p50_s == 0
    assert outcome.refused == 0


def test_the_same_seed_is_the_same_day() -> None:
    assert simulate(day(), seed=3) == simulate(day(), seed=3)
    assert simulate(day(), seed=3) != simulate(day(), seed=4)


def test_who_orders_ten_holds_up_nobody_who_orders_one() -> None:
    # So busy that everybody waits: about as much to do in the busiest hour as there is time.
    outcome = simulate(day(people=6000, gpus=1, seconds=2.0))
    assert outcome.longest_queue > 100
    assert outcome.begun_of_one_p95_s < 1.5 * outcome.begun_of_ten_p95_s
    assert outcome.ten_done_p95_s > 2 * outcome.begun_of_one_p95_s


def test_gpus_are_busy_with_what_was_ordered() -> None:
    outcome = simulate(day(people=2000, gpus=4, seconds=4.0))
    expected = outcome.busiest_hour * MEAN_FACTOR * 4.0 / (4 * HOUR_S)
    assert outcome.busy_share == pytest.approx(expected, rel=0.3)


def test_a_full_queue_refuses_whole_orders() -> None:
    full = simulate(day(people=3000, gpus=1, seconds=20.0, max_jobs=20))
    assert 0 < full.longest_queue <= 20
    assert full.refused > 0
    assert full.pictures + full.refused == simulate(day(people=3000, gpus=100)).pictures


def test_as_few_gpus_as_serve_people_in_time() -> None:
    enough = gpus_needed(1000, 10.0, begun_p95_s=60.0)
    assert enough.begun_p95_s <= 60
    fewer = simulate(day(people=1000, gpus=enough.day.gpus - 1, seconds=10.0))
    assert fewer.begun_p95_s > 60


def test_the_command_line_prints_a_table_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--people", "50", "--gpus", "1"])
    assert len(capsys.readouterr().out.splitlines()) == 3
    main(["--people", "50", "60", "--gpus", "1", "--json"])
    assert [one["day"]["people"] for one in json.loads(capsys.readouterr().out)] == [50, 60]
