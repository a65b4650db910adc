"""The picture that overlapping style patches agree on."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from models.neighbours.columns import GRID_PX
from models.tensors.images import Size

PATCH_PX = 12
"""Side of a patch: three columns wide, so that neighbours overlap by two thirds."""
MARGIN_PX = (PATCH_PX - GRID_PX) // 2


def patches_at(image: Tensor, places: Tensor) -> Tensor:
    """Patches of `image` (1, 3, H, W) round the given grid positions (K,): (K, 3 * 12 * 12)."""
    height, width = (side // GRID_PX * GRID_PX for side in image.shape[-2:])
    padded = F.pad(image[..., :height, :width], (MARGIN_PX,) * 4, mode="reflect")[0]
    views = padded.unfold(1, PATCH_PX, GRID_PX).unfold(2, PATCH_PX, GRID_PX)
    columns = width // GRID_PX
    down, right = places // columns, places % columns
    return views[:, down, right].transpose(0, 1).flatten(1)


def vote(patches: Tensor, chosen: Tensor, grid: Size, size: Size) -> Tensor:
    """Overlapping patches, one for each position of `grid`, averaged: (1, 3, *size).

    `patches` (K, 3 * 12 * 12); `chosen` (positions,) says which one lies where. A patch counts most
    in its middle.
    """
    window = torch.hann_window(PATCH_PX + 2, device=patches.device)[1:-1]
    window = (window[:, None] * window).flatten()
    total = torch.zeros(3, *(g * GRID_PX + 2 * MARGIN_PX for g in grid), device=patches.device)
    weight = torch.zeros_like(total[:1])
    # A third of the patches touch no other: each such set is laid down in one piece.
    index = chosen.view(grid)
    step = PATCH_PX // GRID_PX
    for top in range(min(step, grid[0])):
        for left in range(min(step, grid[1])):
            part = index[top::step, left::step]
            laid = patches[part.flatten()].view(*part.shape, 3, PATCH_PX, PATCH_PX)
            laid = laid * window.view(PATCH_PX, PATCH_PX)
            pixels = laid.permute(2, 0, 3, 1, 4).reshape(3, part.shape[0] * PATCH_PX, -1)
            rows = slice(top * GRID_PX, top * GRID_PX + pixels.shape[1])
            columns = slice(left * GRID_PX, left * GRID_PX + pixels.shape[2])
            total[:, rows, columns] += pixels
            weight[:, rows, columns] += window.view(PATCH_PX, PATCH_PX).repeat(part.shape)
    picture = (total / weight)[None]
    below, right = (s - g * GRID_PX for s, g in zip(size, grid, strict=True))
    inner = picture[..., MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
    return F.pad(inner, (0, right, 0, below), mode="replicate") if below or right else inner
