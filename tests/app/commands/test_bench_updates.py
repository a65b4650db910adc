"""The benchmark drives the real bot from /help to a painting; its figures are of the right kind."""

from __future__ import annotations

import pytest

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
