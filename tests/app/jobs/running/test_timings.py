import pytest

from app.jobs.running.timings import LAST_JOBS, Timings
from models.interface import Quality, StyleOptions


def options(size_px: int, quality: Quality = Quality.STANDARD) -> StyleOptions:
    return StyleOptions(quality=quality, size_px=size_px)


def test_what_was_measured_counts_not_the_guess() -> None:
    timings = Timings()
    for seconds in (7.0, 9.0, 200.0):
        timings.record(options(512), seconds)
    assert timings.estimate_s(options(512)) == 9.0


def test_sizes_within_a_power_of_two_share_their_times() -> None:
    timings = Timings()
    timings.record(options(700), 10.0)
    assert timings.estimate_s(options(1024)) == 10.0


def test_unknown_size_is_worked_out_from_the_nearest_by_area() -> None:
    timings = Timings()
    timings.record(options(512), 10.0)
    timings.record(options(2048), 100.0)
    assert timings.estimate_s(options(256)) == pytest.approx(2.5)
    assert timings.estimate_s(options(4096)) == pytest.approx(400.0)


def test_qualities_do_not_mix() -> None:
    timings = Timings()
    untouched = Timings().estimate_s(options(512, Quality.HIGH))
    timings.record(options(512, Quality.DRAFT), 1.0)
    timings.record(options(512), 20.0)
    timings.record(options(1024), 40.0)
    assert timings.estimate_s(options(512, Quality.HIGH)) == untouched
    assert timings.median_by_quality() == {"draft": 1.0, "standard": 30.0}


def test_new_gpu_is_noticed() -> None:
    timings = Timings()
    for seconds in [60.0] * LAST_JOBS + [5.0] * LAST_JOBS:
        timings.record(options(512), seconds)
    assert timings.estimate_s(options(512)) == 5.0
