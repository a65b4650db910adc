"""The networks that teach, as `Encoder`s: the same input and layer names as everything else.

`vgg16`: VGG16 of Simonyan & Zisserman (2015, CC BY 4.0), conv1_1 to conv5_3.
`slim_vgg19`: a VGG-19 of a quarter of the channels, distilled by Wang et al., "Collaborative
Distillation for Ultra-Resolution Universal Style Transfer", CVPR 2020 (MIT).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from models.encoders import IMAGENET_MEAN, IMAGENET_STD, Encoder, vgg_modules

VGG16_FILE = "vgg16_conv1_1_to_conv5_3.safetensors"
SLIM_VGG19_FILE = "slim_vgg19_relu5_1.safetensors"


def load_vgg16(data: Path, *, reflect: bool = False) -> Encoder:
    """VGG16 up to relu5_3 from `data`/teacher, frozen, in single precision.

    With `reflect` it mirrors the border as our own encoder does, instead of adding zeros.
    """
    tensors = {k: v.float() for k, v in load_file(data / "teacher" / VGG16_FILE).items()}
    return _frozen(tensors, mean=IMAGENET_MEAN, std=IMAGENET_STD, reflect=reflect)


def load_slim_vgg19(data: Path) -> Encoder:
    """The slim VGG-19 up to relu5_1 from `data`/teacher."""
    stored = load_file(data / "teacher" / SLIM_VGG19_FILE)
    tensors = {
        f"{name[:5]}_{name[5:]}": tensor
        for name, tensor in stored.items()
        if not name.startswith("conv0.") and "_aux" not in name
    }
    # The 1x1 convolution on the colours folds into the first kernels; mirrored borders commute.
    first, mix = tensors["conv1_1.weight"], stored["conv0.weight"][:, :, 0, 0]
    tensors["conv1_1.bias"] = tensors["conv1_1.bias"] + first.sum((2, 3)) @ stored["conv0.bias"]
    tensors["conv1_1.weight"] = first.permute(0, 2, 3, 1).matmul(mix).permute(0, 3, 1, 2)
    return _frozen(tensors, mean=[0.0] * 3, std=[1.0] * 3, reflect=True)


def _frozen(
    tensors: dict[str, Tensor], *, mean: Sequence[float], std: Sequence[float], reflect: bool
) -> Encoder:
    encoder = Encoder(vgg_modules(_widths(tensors), reflect=reflect), mean=mean, std=std)
    encoder.load_convolutions(tensors)
    return encoder.eval().requires_grad_(False)


def _widths(tensors: dict[str, Tensor]) -> list[list[int]]:
    """The channels per stage that the names and shapes tell."""
    stages: dict[str, list[int]] = {}
    for name in sorted(tensors):
        if name.endswith(".bias"):
            stages.setdefault(name.split("_")[0], []).append(len(tensors[name]))
    return list(stages.values())
