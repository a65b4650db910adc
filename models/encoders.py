"""Frozen picture encoders of the VGG family, read out at layers called by VGG's own names.

`slim` is this project's small encoder, packaged in the repository; `vgg16` is torchvision's VGG16
(Simonyan & Zisserman 2015), cached after one download. Both name their layers relu1_1 ... relu5_1,
so a loss written for one works with the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models import weight_files
from models.devices.torchvision_compat import vgg16_modules

SLIM_WIDTHS = ((32, 32), (64, 64), (128, 128, 128), (256, 256), (256,))
"""Channels of each convolution, stage by stage: conv1_1, conv1_2, conv2_1 ..."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

MIN_SIDE_PX = 16
"""The shortest side that still leaves one position after the four poolings."""


class ReflectedConv2d(nn.Conv2d):
    """A 3x3 convolution that mirrors the border instead of adding zeros: no dark frame."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=3)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the base class's own name
        # One row has no neighbour to mirror; repeating it is the same picture.
        mode = "reflect" if min(input.shape[-2:]) > 1 else "replicate"
        return super().forward(F.pad(input, (1, 1, 1, 1), mode=mode))


class Encoder(nn.Module):
    """Convolutions, ReLUs and max poolings in VGG's order, read out at named ReLUs."""

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        modules: Iterable[nn.Module],
        *,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        """`modules` in the order they are applied; a pooling begins the next stage.

        `mean` and `std` are the input's, per colour channel, for pictures of 0-1.
        """
        super().__init__()
        self.stack = nn.Sequential()
        for name, module in _named(modules):
            self.stack.add_module(name, module)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    @property
    def layers(self) -> tuple[str, ...]:
        """The names that `forward` takes, from the picture inwards."""
        return tuple(name for name, _ in self.stack.named_children() if name.startswith("relu"))

    def forward(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Encode `image` (N, 3, H, W; RGB, 0-1), computing only up to the deepest layer asked for.

        Returns the activations (N, C, H', W') by layer name; H' and W' halve at every stage.
        Raises ValueError for an unknown layer or a side below `MIN_SIDE_PX`.
        """
        wanted = set(layers)
        if unknown := wanted - set(self.layers):
            raise ValueError(f"this encoder has no layer {', '.join(sorted(unknown))}")
        if min(image.shape[-2:]) < MIN_SIDE_PX:
            raise ValueError(f"a picture to encode needs at least {MIN_SIDE_PX} px on each side")
        found: dict[str, Tensor] = {}
        activation = (image - self.mean) / self.std
        for name, module in self.stack.named_children():
            if len(found) == len(wanted):
                break
            activation = module(activation)
            if name in wanted:
                found[name] = activation
        return found

    def load_convolutions(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over weights by name (`conv1_1.weight` ...); raises RuntimeError for a misfit."""
        self.stack.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})


def _named(modules: Iterable[nn.Module]) -> Iterable[tuple[str, nn.Module]]:
    """Pair each module with its VGG name: conv1_1, relu1_1, ..., pool1, conv2_1, ..."""
    stage, number = 1, 0
    for module in modules:
        if isinstance(module, nn.MaxPool2d):
            yield f"pool{stage}", module
            stage, number = stage + 1, 0
        elif isinstance(module, nn.Conv2d):
            number += 1
            yield f"conv{stage}_{number}", module
        else:
            yield f"relu{stage}_{number}", module


def relu_names(widths: Sequence[Sequence[int]]) -> tuple[str, ...]:
    """The layers of an encoder with these channels per stage, from the picture inwards."""
    return tuple(
        f"relu{stage}_{number}"
        for stage, stage_widths in enumerate(widths, 1)
        for number in range(1, len(stage_widths) + 1)
    )


def vgg_modules(widths: Sequence[Sequence[int]], *, reflect: bool = True) -> Iterable[nn.Module]:
    """VGG-shaped modules with the given channels per stage; their weights are random."""
    channels = 3
    for stage, stage_widths in enumerate(widths):
        if stage:
            yield nn.MaxPool2d(2)
        for width in stage_widths:
            if reflect:
                yield ReflectedConv2d(channels, width)
            else:
                yield nn.Conv2d(channels, width, kernel_size=3, padding=1)
            yield nn.ReLU(inplace=True)
            channels = width


def slim_encoder() -> Encoder:
    """The slim encoder's shape, not yet trained."""
    return Encoder(vgg_modules(SLIM_WIDTHS))


def load_encoder(name: weight_files.EncoderName, *, cache_dir: Path) -> Encoder:
    """The trained encoder, frozen, on the CPU.

    `vgg16` is read from `cache_dir`, where `weight_files.fetch_vgg16` puts it; `slim` needs none.
    Raises `weights_cache.WeightsError` if the weights are missing or damaged.
    """
    if name == "slim":
        encoder, tensors = slim_encoder(), weight_files.load_packaged(weight_files.SLIM_ENCODER)
    else:
        encoder, tensors = Encoder(vgg16_modules()), weight_files.load_vgg16(cache_dir)
    encoder.load_convolutions(tensors)
    return encoder.eval().requires_grad_(False)
