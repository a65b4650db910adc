"""Images: pictures as tensors, RGB, 0-1, shape (1, 3, H, W)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from models.pictures.sizes import fit_size

Size = tuple[int, int]
"""(height, width), as tensors count; Pillow's sizes are the other way round."""

Filter = Literal["bicubic", "bilinear"]
"""Bicubic is sharper; bilinear never overshoots."""


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


def resize(image: Tensor, size: Size, *, mode: Filter = "bicubic") -> Tensor:
    """Without aliasing when it shrinks; (N, C, H, W) to (N, C, *size)."""
    if image_size(image) == size:
        return image
    return F.interpolate(image, size, mode=mode, antialias=True, align_corners=False)


def blurred(image: Tensor, finest_px: float) -> Tensor:
    """The same (N, C, H, W) without anything that is finer than about `finest_px`."""
    height, width = (max(1, round(side / finest_px)) for side in image_size(image))
    return resize(resize(image, (height, width)), image_size(image))


def with_finer_detail(
    painting: Tensor, below: Tensor, above: Tensor, *, mode: Filter = "bicubic"
) -> Tensor:
    """A smaller painting at the size of `above`, with the finer detail that only that one has.

    `below` is `above` at the painting's size; (N, C, h, w) twice and (N, C, H, W). What the
    painting has changed is enlarged and added, so values may leave 0-1.
    """
    if image_size(painting) == image_size(above):
        return painting
    # Enlarging can't alias. But torch's bicubic kernel is a softer one where it looks out for that.
    antialias = mode == "bicubic"
    change = F.interpolate(painting - below, image_size(above), mode=mode, antialias=antialias)
    return above + change


def scaled_size(image: Tensor, long_side_px: float, *, min_side_px: int = 1) -> Size:
    """The size of the same shape whose long side is `long_side_px`; no side below `min_side_px`."""
    height, width = fit_size(image_size(image), long_side_px)
    return max(min_side_px, height), max(min_side_px, width)


def scaled(
    image: Tensor, long_side_px: float, *, min_side_px: int = 1, mode: Filter = "bicubic"
) -> Tensor:
    """`image` (N, C, H, W) at its `scaled_size`."""
    return resize(image, scaled_size(image, long_side_px, min_side_px=min_side_px), mode=mode)


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
