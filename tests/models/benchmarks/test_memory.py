"""What is counted of a process's memory."""

from __future__ import annotations

import torch

from models.benchmarks.memory import PeakMemory, peak_resident_mb, resident_mb

CPU = torch.device("cpu")


def test_peak_memory_sees_what_was_held_and_let_go() -> None:
    with PeakMemory(CPU) as memory:
        block = torch.ones(50_000_000)  # 200 MB, touched
        for _ in range(20):
            block.add_(1)
        del block
    assert 150 < memory.megabytes < 400


def test_the_peak_is_never_below_what_is_held_now() -> None:
    block = torch.ones(25_000_000)  # 100 MB, touched
    assert 100 < resident_mb() < 1.05 * peak_resident_mb()
    del block
