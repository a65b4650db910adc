"""The draft's benchmark runs, each row in a process of its own."""

from __future__ import annotations

import pytest

from models.benchmarks.draft import NETWORK, OURS, OWN, PRESET, Row, bench_draft, draft_table
from models.benchmarks.peer import PEER


@pytest.mark.parametrize("style", [PRESET, pytest.param(OWN, marks=pytest.mark.soak)])
def test_every_engine_is_measured(style: str) -> None:
    rows = [row for row in bench_draft([64], [style]) if row.engine != PEER]
    expected = [(engine, style, 64) for engine in (OURS, NETWORK)]
    assert [(row.engine, row.style, row.size_px) for row in rows] == expected
    for row in rows:
        assert row.cold_s > 0
        assert row.warm_s > 0
        assert row.memory_mb > 0


def test_the_table_compares_with_the_peer_of_the_same_row() -> None:
    rows = [Row(OURS, PRESET, 64, 0.5, 0.1, 50), Row(PEER, PRESET, 64, 0.5, 0.2, 80)]
    _, _, ours, peer = draft_table(rows).splitlines()
    assert ours == f"| {PRESET} | 64 | {OURS} | 0.50 | 0.10 | 50 | 0.50 |"
    assert peer == f"| {PRESET} | 64 | {PEER} | 0.50 | 0.20 | 80 |  |"
