"""Crops with the teacher's features of them: worked out once, or anew for every batch.

A forward pass of the teacher costs more than the student's forward and backward pass together, so a
processor keeps what it says (`DistillationSet`). A GPU asks it about crops that no step has seen
(`FreshCrops`): from a few thousand crops a student learns them by heart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor
from tqdm import tqdm

from models.devices.precision import half_precision
from models.tensors.noise import seeded
from models.training.data import MixedCrops
from models.training.encoder.student import Teacher

_CHUNK = 8


class Examples(Protocol):
    """What a training draws its batches from; seeded and resumable."""

    def batch(self, count: int) -> tuple[Tensor, dict[str, Tensor]]:
        """`count` crops (count, 3, H, W; channels last) and the teacher's features by layer."""

    def state(self) -> Sequence[Tensor]:
        """The random generators' states, for a checkpoint; crops and features are made anew."""

    def restore(self, states: Sequence[Tensor]) -> None:
        """Go on where `states` were taken."""


class FreshCrops:
    """Every batch of crops that no other has; see `Examples`."""

    def __init__(self, teacher: Teacher, crops: MixedCrops) -> None:
        self._teacher = teacher
        self._crops = crops

    def batch(self, count: int) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Examples.batch`."""
        images = self._crops.batch(count)
        return images, self._teacher(images)

    def state(self) -> list[Tensor]:
        """See `Examples.state`."""
        return self._crops.state()

    def restore(self, states: Sequence[Tensor]) -> None:
        """See `Examples.restore`."""
        self._crops.restore(states)


class DistillationSet:
    """Random batches of a fixed set of crops; see `Examples`."""

    def __init__(self, teacher: Teacher, crops: Tensor, *, seed: int = 0) -> None:
        """Ask `teacher` about all `crops` (N, 3, H, W; RGB, 0-1).

        The features are kept in half precision, about 1.2 MB for a crop of 128 px.
        """
        self._crops = crops
        self._random = seeded(seed)
        self._features: dict[str, Tensor] = {}
        done = 0
        for part in tqdm(torch.split(crops, _CHUNK), desc="the teacher's answers"):
            with half_precision(part.device):
                features = teacher(part)
            for name, feature in features.items():
                if name not in self._features:
                    # In one piece from the start: thousands of parts leave holes where they were.
                    shape = len(crops), *feature.shape[1:]
                    self._features[name] = feature.new_empty(shape, dtype=torch.half)
                self._features[name][done : done + len(part)] = feature
            done += len(part)

    def batch(self, count: int) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Examples.batch`; the crops of a batch are all different."""
        shuffled = torch.randperm(len(self._crops), generator=self._random)
        places = shuffled[:count].to(self._crops.device)
        images = self._crops[places].contiguous(memory_format=torch.channels_last)
        return images, {name: feature[places].float() for name, feature in self._features.items()}

    def state(self) -> list[Tensor]:
        """See `Examples.state`."""
        return [self._random.get_state()]

    def restore(self, states: Sequence[Tensor]) -> None:
        """See `Examples.restore`."""
        self._random.set_state(states[0])
