"""Pictures as tensors: RGB, 0-1, shape (1, 3, H, W)."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

Size = tuple[int, int]
"""(height, width), as tensors count; Pillow's sizes are the other way round."""


def to_tensor(picture: Image.Image, device: torch.device | str = "cpu") -> Tensor:
    """RGB picture to a float tensor (1, 3, H, W) of 0-1."""
    pixels = torch.from_numpy(np.array(picture, dtype=np.uint8)).to(device)
    return pixels.permute(2, 0, 1)[None].float().div_(255)


def to_picture(image: Tensor) -> Image.Image:
    """Tensor (1, 3, H, W) to an RGB picture; values outside 0-1 are clipped."""
    pixels = image.detach()[0].clamp(0, 1).mul(255).round_().to(torch.uint8)
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().cpu().numpy())


def image_size(image: Tensor) -> Size:
    """Height and width of a tensor (N, C, H, W)."""
    return image.shape[-2], image.shape[-1]


def resize(image: Tensor, size: Size) -> Tensor:
    """Bicubic, without aliasing when it shrinks; (N, C, H, W) to (N, C, *size)."""
    if image_size(image) == size:
        return image
    return F.interpolate(image, size, mode="bicubic", antialias=True, align_corners=False)


def blurred(image: Tensor, finest_px: float) -> Tensor:
    """The same (N, C, H, W) without anything that is finer than about `finest_px`."""
    height, width = (max(1, round(side / finest_px)) for side in image_size(image))
    return resize(resize(image, (height, width)), image_size(image))


def with_detail_of(image: Tensor, detailed: Tensor) -> Tensor:
    """A smaller picture at the size of `detailed`, with the finer detail that only that one has."""
    if image_size(image) == image_size(detailed):
        return image
    coarse = resize(resize(detailed, image_size(image)), image_size(detailed))
    return (resize(image, image_size(detailed)) + detailed - coarse).clamp(0, 1)


def scaled_size(image: Tensor, long_side_px: int) -> Size:
    """The size of the same shape whose long side is `long_side_px`."""
    height, width = image.shape[-2:]
    scale = long_side_px / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def scaled(image: Tensor, long_side: float, *, min_side: int) -> Tensor:
    """Bilinear, without aliasing, to this long side; no side gets shorter than `min_side`."""
    scale = long_side / max(image.shape[-2:])
    size = [max(min_side, round(side * scale)) for side in image.shape[-2:]]
    return F.interpolate(image, size, mode="bilinear", antialias=True)


_LUMA = (0.299, 0.587, 0.114)


def luminance(image: Tensor) -> Tensor:
    """The Y of YIQ: (N, 3, H, W) to (N, 1, H, W)."""
    weights = image.new_tensor(_LUMA).view(1, 3, 1, 1)
    return (image * weights).sum(1, keepdim=True)


def with_colors_of(painting: Tensor, photo: Tensor) -> Tensor:
    """The painting's luminance with the photo's chroma, both (1, 3, H, W).

    Luminance-only transfer of Gatys et al., "Preserving Color in Neural Artistic Style Transfer"
    (2016). Moving along the grey axis keeps I and Q of YIQ; a colour that would leave the cube is
    pulled towards grey rather than clipped, so that its hue stays.
    """
    grey = luminance(painting).clamp(0, 1)
    chroma = photo - luminance(photo)
    room = torch.where(chroma > 0, 1 - grey, grey)
    saturation = (room / chroma.abs().clamp_min(1e-4)).amin(1, keepdim=True).clamp(0, 1)
    return grey + chroma * saturation
