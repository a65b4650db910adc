"""The photo on its way through the engine: scaled and padded in, finished as a picture out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from models.encoders import MIN_SIDE_PX
from models.tensors.images import (
    image_size,
    resize,
    scaled,
    to_picture,
    to_tensor,
    with_colors_of,
)


class Canvas:
    """One photo at the size of the result."""

    def __init__(
        self, photo: Image.Image, *, long_side_px: int, keep_colors: bool, device: torch.device
    ) -> None:
        pixels = to_tensor(photo, device)
        self._photo = scaled(pixels, long_side_px).clamp(0, 1)
        self._keep_colors = keep_colors
        height, width = image_size(self._photo)
        below, right = max(0, MIN_SIDE_PX - height), max(0, MIN_SIDE_PX - width)
        # A long and narrow picture at a small size is thinner than the encoder can see.
        self.content = F.pad(self._photo, (0, right, 0, below), mode="replicate")
        """What is painted over (1, 3, H, W), RGB 0-1."""

    def photo(self) -> Image.Image:
        """The photo itself at this size."""
        return to_picture(self._photo)

    def picture(self, image: Tensor) -> Image.Image:
        """A painting (1, 3, h, w) of any scale as it is shown and delivered."""
        height, width = image_size(self._photo)
        painting = resize(image.detach(), image_size(self.content))[..., :height, :width]
        painting = painting.clamp(0, 1)
        return to_picture(with_colors_of(painting, self._photo) if self._keep_colors else painting)
