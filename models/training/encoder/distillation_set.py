"""Crops with the teacher's features of them, worked out once and used again and again.

A forward pass of the teacher costs more than the student's forward and backward pass together.
"""

from __future__ import annotations

import torch
from torch import Tensor
from tqdm import tqdm

from models.tensors.noise import seeded
from models.training.encoder.student import Teacher

_CHUNK = 8


class DistillationSet:
    """Random batches of crops and the teacher's features; seeded and resumable."""

    def __init__(self, teacher: Teacher, crops: Tensor, *, seed: int = 0) -> None:
        """Ask `teacher` about all `crops` (N, 3, H, W; RGB, 0-1).

        The features are kept in half precision, about 1.2 MB for a crop of 128 px.
        """
        self._crops = crops
        self._random = seeded(seed)
        found: dict[str, list[Tensor]] = {}
        for part in tqdm(torch.split(crops, _CHUNK), desc="the teacher's answers"):
            for name, feature in teacher(part).items():
                found.setdefault(name, []).append(feature.half())
        self._features = {name: torch.cat(parts) for name, parts in found.items()}

    def batch(self, count: int) -> tuple[Tensor, dict[str, Tensor]]:
        """`count` different crops (count, 3, H, W; channels last) and their features by layer."""
        shuffled = torch.randperm(len(self._crops), generator=self._random)
        places = shuffled[:count].to(self._crops.device)
        images = self._crops[places].contiguous(memory_format=torch.channels_last)
        return images, {name: feature[places].float() for name, feature in self._features.items()}

    def state(self) -> Tensor:
        """The random generator's state, for a checkpoint; crops and features are made anew."""
        return self._random.get_state()

    def restore(self, state: Tensor) -> None:
        """Go on where `state` was taken."""
        self._random.set_state(state)
