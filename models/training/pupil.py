"""What the slim encoder is taught, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.encoders import Encoder, slim_encoder
from models.training.least_squares import Positions, teacher_samples
from models.training.teachers import load_vgg16

LESSONS = (
    "relu1_1",
    "relu1_2",
    "relu2_1",
    "relu2_2",
    "relu3_1",
    "relu3_2",
    "relu3_3",
    "relu4_1",
    "relu4_2",
    "relu5_1",
)
"""The layers that are compared: all that the student has."""


class Teacher(nn.Module):
    """VGG16 with the border that the student has, its lessons brought to one size."""

    def __init__(self, data: Path) -> None:
        """Load it from `data`/teacher."""
        super().__init__()
        self.vgg16 = load_vgg16(data, reflect=True)
        self.scales = dict.fromkeys(LESSONS, 1.0)

    def calibrate(self, images: Tensor) -> None:
        """Bring every lesson to a mean variance of 1 over `images`.

        So a mean square error is the unexplained share of the variance, and one rate fits all.
        """
        self.scales = dict.fromkeys(LESSONS, 1.0)
        self.scales = {name: variance(lesson) ** 0.5 for name, lesson in self(images).items()}

    @torch.no_grad()
    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """The lessons' activations for `images` (N, 3, H, W; RGB, 0-1), thinned out."""
        lessons = self.vgg16(images, LESSONS)
        return {name: _thin(name, lessons[name]) / self.scales[name] for name in LESSONS}

    def samples(self, images: Tensor, positions: Positions) -> dict[str, Tensor]:
        """Pre-activations (samples, C) of the lessons' convolutions, by the convolution's name."""
        scales = {name.replace("relu", "conv"): scale for name, scale in self.scales.items()}
        found = teacher_samples(self.vgg16, images, positions, convolutions=scales.keys())
        return {name: sample / scales[name] for name, sample in found.items()}


class Pupil(nn.Module):
    """The student and its 1x1 maps to the teacher's layers; the maps serve the training alone."""

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

    def errors(self, images: Tensor, lessons: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The mean square errors of the mapped layers, by layer.

        `images` (N, 3, H, W; RGB, 0-1); `lessons` what `Teacher` says about them.
        """
        layers = self.encoder(images, LESSONS)
        return {
            name: F.mse_loss(self.maps[name](_thin(name, layers[name])), lesson)
            for name, lesson in lessons.items()
        }


@torch.no_grad()
def validate(pupil: Pupil, teacher: Teacher, images: Tensor, batch: int) -> dict[str, float]:
    """The share of each lesson's variance over `images` that is left unexplained, by layer.

    `images` (N, 3, H, W; RGB, 0-1) are looked at `batch` at a time.
    """
    parts = [(part, teacher(part)) for part in torch.split(images, batch)]
    errors = [(len(part), pupil.errors(part, lessons)) for part, lessons in parts]
    return {
        name: round(
            sum(count * float(error[name]) for count, error in errors)
            / len(images)
            / variance(torch.cat([lessons[name] for _, lessons in parts])),
            4,
        )
        for name in LESSONS
    }


def variance(lesson: Tensor) -> float:
    """Of (N, C, H, W) around each channel's own mean, averaged over channels; not zero."""
    return max(1e-8, float((lesson - lesson.mean((0, 2, 3), keepdim=True)).square().mean()))


def _thin(name: str, activation: Tensor) -> Tensor:
    """As many positions as stage 4 has, of the stages before it: neighbours tell little new."""
    stride = {"relu1": 8, "relu2": 4, "relu3": 2}.get(name.split("_")[0], 1)
    return activation[..., ::stride, ::stride]
