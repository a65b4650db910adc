"""How many threads torch computes with, and in which of ours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from models.devices.threads import computing_threads


def test_the_number_is_as_before_afterwards() -> None:
    before = torch.get_num_threads()
    with computing_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    with pytest.raises(KeyError), computing_threads(before + 1):
        raise KeyError
    assert torch.get_num_threads() == before


def test_another_thread_that_computes_already_keeps_its_own() -> None:
    with ThreadPoolExecutor(1) as other:
        its = other.submit(torch.get_num_threads).result()
        with computing_threads(its + 2):
            assert other.submit(torch.get_num_threads).result() == its
