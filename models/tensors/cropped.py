"""A part of a map as a map of its own."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def cropped(
    maps: Tensor, rows: slice, columns: slice, *, dtype: torch.dtype = torch.float32
) -> Tensor:
    """The part of `maps` (N, C, H, W) in these rows and columns, in `dtype`.

    Without gaps in memory, as whatever reads it several times wants it, and in the same layout;
    `maps` themselves if they are that already. `rows` and `columns` have both ends.
    """
    if maps.dtype is dtype and (rows, columns) == _whole(maps):
        return maps
    found: Tensor = _Crop.apply(maps, rows, columns, dtype)  # type: ignore[no-untyped-call]
    return found


def _whole(maps: Tensor) -> tuple[slice, slice]:
    return slice(0, maps.shape[-2]), slice(0, maps.shape[-1])


class _Crop(torch.autograd.Function):
    """Torch's own gradient of a slice is in the other layout, whose copies cost a tenth of a step
    in tiles."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, rows: slice, columns: slice, dtype: torch.dtype) -> Tensor:
        packed = torch.channels_last if maps.stride(1) == 1 else torch.contiguous_format
        ctx.shape, ctx.dtype, ctx.packed, ctx.part = maps.shape, maps.dtype, packed, (rows, columns)
        return maps[..., rows, columns].to(dtype, memory_format=packed, copy=True)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        if gradient.shape == ctx.shape:
            return gradient.to(ctx.dtype), None, None, None
        found = torch.empty(
            ctx.shape, dtype=ctx.dtype, device=gradient.device, memory_format=ctx.packed
        )
        rows, columns = ctx.part
        found.zero_()[..., rows, columns] = gradient
        return found, None, None, None
