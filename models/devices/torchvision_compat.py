"""The one place that imports torchvision, which a torch without CUDA could not by itself.

PyPI's torchvision is built for CUDA. Beside a CPU-only torch its binary part cannot load, and its
import fails with `operator torchvision::nms does not exist`. The network definitions need nothing
of that part; they become importable once the two operators merely have a schema.
"""

from __future__ import annotations

import functools
import importlib

import torch
from torch import nn

_MISSING_OPERATORS = ("nms", "qnms")
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@functools.cache
def _prepare() -> torch.library.Library | None:
    """Make torchvision importable; the library must live on, its schemas die with it."""
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for operator in _MISSING_OPERATORS:
            library.define(operator + _SCHEMA)  # type: ignore[no-untyped-call]
        importlib.import_module("torchvision")
        return library
    return None


def vgg16_modules() -> nn.Sequential:
    """The modules of torchvision's VGG16 `features`, with random weights and without a download."""
    _prepare()
    # `vgg16(weights=None)` would also make the classifier: 500 MB of random numbers to throw away.
    from torchvision.models.vgg import cfgs, make_layers

    modules: nn.Sequential = make_layers(cfgs["D"])
    for module in modules:
        if isinstance(module, nn.Conv2d):
            module.padding_mode = "replicate"  # zeros would draw a frame round every painting
    return modules
