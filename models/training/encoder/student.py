"""Teacher and student of the distillation, and how much of the teacher is left unexplained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.encoders import SLIM_WIDTHS, Encoder, relu_names, slim_encoder
from models.tensors.tiles import layer_stride
from models.training.encoder.least_squares import Positions, teacher_samples
from models.training.teachers import load_vgg16

DISTILLED_LAYERS = relu_names(SLIM_WIDTHS)
"""The layers that are compared: all that the student has."""


class Teacher(nn.Module):
    """VGG16 with the border that the student has, its features brought to one size."""

    def __init__(self, data: Path) -> None:
        """Load it from `data`/teacher."""
        super().__init__()
        self.vgg16 = load_vgg16(data, reflect=True)
        self.scales = dict.fromkeys(DISTILLED_LAYERS, 1.0)

    def calibrate(self, images: Tensor) -> None:
        """Bring every layer's features to a mean variance of 1 over `images`.

        So a mean square error is the unexplained share of the variance, and one rate fits all.
        """
        self.scales = dict.fromkeys(DISTILLED_LAYERS, 1.0)
        self.scales = {name: variance(feature) ** 0.5 for name, feature in self(images).items()}

    @torch.no_grad()
    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """The distilled layers' features of `images` (N, 3, H, W; RGB, 0-1), thinned out."""
        features = self.vgg16(images, DISTILLED_LAYERS)
        return {name: _thin(name, features[name]) / self.scales[name] for name in DISTILLED_LAYERS}

    def samples(self, images: Tensor, positions: Positions) -> dict[str, Tensor]:
        """Pre-activations (samples, C) of those layers' convolutions, by the convolution's name."""
        scales = {name.replace("relu", "conv"): scale for name, scale in self.scales.items()}
        found = teacher_samples(self.vgg16, images, positions, convolutions=scales.keys())
        return {name: sample / scales[name] for name, sample in found.items()}


class Student(nn.Module):
    """The encoder and its 1x1 maps to the teacher's layers; the maps serve the training alone."""

    def __init__(self, encoder: Encoder, maps: Mapping[str, nn.Conv2d]) -> None:
        """`maps` by the names of `DISTILLED_LAYERS`."""
        super().__init__()
        self.encoder = encoder
        self.maps = nn.ModuleDict({name: maps[name] for name in DISTILLED_LAYERS})

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> Student:
        """The student whose `state_dict` was saved."""
        maps = {}
        for name in DISTILLED_LAYERS:
            outputs, inputs = state[f"maps.{name}.weight"].shape[:2]
            maps[name] = nn.Conv2d(inputs, outputs, kernel_size=1)
        student = cls(slim_encoder(), maps)
        student.load_state_dict(state)
        return student

    def layer_maps(self) -> dict[str, nn.Conv2d]:
        """The 1x1 maps by layer name."""
        return {name: m for name, m in self.maps.items() if isinstance(m, nn.Conv2d)}

    def errors(self, images: Tensor, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The mean square errors of the mapped layers, by layer.

        `images` (N, 3, H, W; RGB, 0-1); `features` what `Teacher` says about them.
        """
        layers = self.encoder(images, DISTILLED_LAYERS)
        return {
            name: F.mse_loss(self.maps[name](_thin(name, layers[name])), feature)
            for name, feature in features.items()
        }


@torch.no_grad()
def validate(student: Student, teacher: Teacher, images: Tensor, batch: int) -> dict[str, float]:
    """The share of each layer's variance over `images` that is left unexplained, by layer.

    `images` (N, 3, H, W; RGB, 0-1) are looked at `batch` at a time.
    """
    parts = [(part, teacher(part)) for part in torch.split(images, batch)]
    errors = [(len(part), student.errors(part, features)) for part, features in parts]
    return {
        name: round(
            sum(count * float(error[name]) for count, error in errors)
            / len(images)
            / variance(torch.cat([features[name] for _, features in parts])),
            4,
        )
        for name in DISTILLED_LAYERS
    }


def variance(feature: Tensor) -> float:
    """Of (N, C, H, W) around each channel's own mean, averaged over channels; not zero."""
    return max(1e-8, float((feature - feature.mean((0, 2, 3), keepdim=True)).square().mean()))


def _thin(name: str, activation: Tensor) -> Tensor:
    """As many positions as stage 4 has, of the stages before it: neighbours tell little new."""
    stride = max(1, layer_stride("relu4_1") // layer_stride(name))
    return activation[..., ::stride, ::stride]
