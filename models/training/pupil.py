"""What the slim encoder is taught, by whom, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.encoders import Encoder, slim_encoder
from models.training.least_squares import Positions, teacher_samples
from models.training.teachers import load_slim_vgg19, load_vgg19

VGG19_LESSONS = ("relu1_1", "relu2_1", "relu2_2", "relu3_1", "relu3_3")
SLIM_LESSONS = ("relu4_1", "relu4_2", "relu5_1")
LESSONS = VGG19_LESSONS + SLIM_LESSONS
"""The layers that are compared; the real VGG-19 teaches the first ones, the slim one the rest."""


class Teachers(nn.Module):
    """Both teachers as one, with the layers each of them teaches."""

    def __init__(self, data: Path) -> None:
        """Load both from `data`/teacher."""
        super().__init__()
        self.vgg19 = load_vgg19(data, reflect=True)
        self.slim = load_slim_vgg19(data)
        self.scales = dict.fromkeys(LESSONS, 1.0)

    def calibrate(self, images: Tensor) -> None:
        """Bring every lesson to unit deviation over `images`: one learning rate then fits all."""
        self.scales = dict.fromkeys(LESSONS, 1.0)
        self.scales = {name: float(lesson.std()) for name, lesson in self(images).items()}

    @torch.no_grad()
    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """The lessons' activations for `images` (N, 3, H, W; RGB, 0-1), thinned out."""
        lessons = self.vgg19(images, VGG19_LESSONS) | self.slim(images, SLIM_LESSONS)
        return {name: _thin(name, lessons[name]) / self.scales[name] for name in LESSONS}

    def samples(self, images: Tensor, positions: Positions) -> dict[str, Tensor]:
        """Pre-activations (samples, C) of every convolution, from stage 4 on the slim teacher's."""
        deep = teacher_samples(self.slim, images, positions)
        found = deep | teacher_samples(self.vgg19, images, positions)
        scales = {name.replace("relu", "conv"): scale for name, scale in self.scales.items()}
        return {name: sample / scales.get(name, 1.0) for name, sample in found.items()}


class Pupil(nn.Module):
    """The student and its 1x1 maps to the teachers' layers; the maps serve the training alone."""

    def __init__(self, encoder: Encoder, maps: Mapping[str, nn.Conv2d]) -> None:
        """`maps` by the names of `LESSONS`."""
        super().__init__()
        self.encoder = encoder
        self.maps = nn.ModuleDict({name: maps[name] for name in LESSONS})

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> Pupil:
        """The pupil whose `state_dict` was saved."""
        maps = {}
        for name in LESSONS:
            outputs, inputs = state[f"maps.{name}.weight"].shape[:2]
            maps[name] = nn.Conv2d(inputs, outputs, kernel_size=1)
        pupil = cls(slim_encoder(), maps)
        pupil.load_state_dict(state)
        return pupil

    def lesson_maps(self) -> dict[str, nn.Conv2d]:
        """The 1x1 maps by layer name."""
        return {name: m for name, m in self.maps.items() if isinstance(m, nn.Conv2d)}

    def unexplained(self, images: Tensor, lessons: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The share of each lesson's variance that the mapped layers leave, by layer.

        `images` (N, 3, H, W; RGB, 0-1); `lessons` what `Teachers` says about them.
        """
        layers = self.encoder(images, LESSONS)
        return {
            name: F.mse_loss(self.maps[name](_thin(name, layers[name])), lesson) / _variance(lesson)
            for name, lesson in lessons.items()
        }


@torch.no_grad()
def validate(pupil: Pupil, teachers: Teachers, images: Tensor, batch: int) -> dict[str, float]:
    """The unexplained variance per layer over `images`, averaged over their batches."""
    figures = [pupil.unexplained(part, teachers(part)) for part in torch.split(images, batch)]
    return {
        name: round(sum(float(figure[name]) for figure in figures) / len(figures), 4)
        for name in LESSONS
    }


def _variance(lesson: Tensor) -> Tensor:
    """Around each channel's own mean, averaged over channels and positions; not zero."""
    return (lesson - lesson.mean((0, 2, 3), keepdim=True)).square().mean().clamp_min(1e-8)


def _thin(name: str, activation: Tensor) -> Tensor:
    """Every fourth position of stage 1, every second of stage 2: neighbours tell little new."""
    stride = {"relu1": 4, "relu2": 2}.get(name.split("_")[0], 1)
    return activation[..., ::stride, ::stride]
