"""A part of a map: the same numbers, packed and in single precision, and torch's own gradient."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.tensors.cropped import cropped

ALL = slice(0, 6), slice(0, 8)
PART = slice(1, 4), slice(2, 8)
LAYOUTS = pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])


def maps(layout: torch.memory_format, dtype: torch.dtype = torch.float32) -> Tensor:
    numbers = torch.randn(1, 5, 6, 8, generator=torch.Generator().manual_seed(2))
    return numbers.to(dtype).contiguous(memory_format=layout)


@LAYOUTS
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("part", [PART, ALL])
def test_numbers_and_gradient_are_those_of_a_slice(
    layout: torch.memory_format, dtype: torch.dtype, part: tuple[slice, slice]
) -> None:
    ours, torchs = (maps(layout, dtype).requires_grad_() for _ in range(2))
    found, expected = cropped(ours, *part), torchs[..., *part].float()
    assert torch.equal(found, expected)
    assert found.dtype is torch.float32
    assert found.is_contiguous(memory_format=layout)
    for each in (found, expected):
        (each**2).sum().backward()  # type: ignore[no-untyped-call]
    assert ours.grad is not None
    assert torchs.grad is not None
    assert torch.equal(ours.grad, torchs.grad)
    assert ours.grad.is_contiguous(memory_format=layout)


@LAYOUTS
def test_what_is_whole_and_single_is_no_copy(layout: torch.memory_format) -> None:
    whole = maps(layout)
    assert cropped(whole, *ALL) is whole
