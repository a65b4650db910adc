"""Something of VGG16's shape, as large as it and as quickly made."""

from __future__ import annotations

from pathlib import Path

import torch

from models.devices.torchvision_compat import vgg16_modules
from models.encoders import Encoder
from models.weight_files import keep_vgg16


def keep_random_vgg16(cache_dir: Path) -> None:
    """Into a cache, where no bot can tell it from the real one."""
    torch.manual_seed(0)
    keep_vgg16(cache_dir, Encoder(vgg16_modules()).stack.state_dict())
