"""The benchmark runs through the real queue, and its figures are of the right kind."""

from __future__ import annotations

from app.commands.bench_workers import measure_workers
from styles.catalog import default_catalog


def test_every_number_of_workers_is_measured_against_one() -> None:
    photo = default_catalog().sample
    figures = measure_workers(photo, pictures=4, seconds_each=0.02, counts=(1, 2))
    assert list(figures.per_minute) == [1, 2]
    assert all(rate > 0 for rate in figures.per_minute.values())
    assert figures.ratio(1) == 1
    assert len(str(figures).splitlines()) == 4
