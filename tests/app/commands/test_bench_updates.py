"""The benchmark drives the real bot from /help to a painting; its figures are of the right kind."""

from __future__ import annotations

import os
import time

import pytest

from app.commands.bench_crowd import process_cpu_s
from app.commands.bench_updates import measure_updates
from styles.catalog import default_catalog


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_updates_and_the_calls_of_a_draft_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DEVICE": "cpu", "ENCODER": "slim", "OMP_NUM_THREADS": "1"}.items():
        monkeypatch.setenv(name, value)
    figures = measure_updates(default_catalog().sample, people=5, drafts=1)
    assert figures.updates_per_second > 0
    assert figures.most_per_second > 0
    # The questions of an order, the status message, and the painting in its place.
    assert 4 <= figures.calls_per_draft <= 12
    assert "/help" in str(figures)


def test_a_millisecond_of_a_processor_counts() -> None:
    """A few answers take no more, and something is divided by it."""
    before, wanted = process_cpu_s(os.getpid()), time.process_time() + 0.001
    while time.process_time() < wanted:
        pass
    assert 0.001 <= process_cpu_s(os.getpid()) - before < 0.1
    assert process_cpu_s(os.getpid()) == pytest.approx(time.process_time(), abs=0.1)
