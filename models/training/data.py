"""Pictures to train on: loading, the split into training and validation, random crops.

A data folder holds `photos/` and `styles/`, JPEG files both. What is validation is listed by source
in `split.toml`, so every command of this package agrees on it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.tensors.images import resize
from models.tensors.noise import seeded

SPLIT_FILE = "split.toml"

Split = Literal["train", "validation"]


def picture_paths(folder: Path, split: Split) -> list[Path]:
    """The pictures of one split in `folder`, sorted; raises FileNotFoundError if there is none."""
    ranges = _validation_ranges(folder)
    chosen = [
        path
        for path in sorted(folder.glob("*.jpg"))
        if any(first <= path.stem <= last for first, last in ranges) == (split == "validation")
    ]
    if not chosen:
        raise FileNotFoundError(f"{folder} holds no pictures (*.jpg) for {split}")
    return chosen


def _validation_ranges(folder: Path) -> list[tuple[str, str]]:
    """First and last file name of each run of validation pictures."""
    listed = folder.parent / SPLIT_FILE
    if not listed.is_file():
        listed = Path(__file__).with_name(SPLIT_FILE)
    entries: list[str] = tomllib.loads(listed.read_text(encoding="utf-8")).get(folder.name, [])
    return [(entry.split("-")[0], entry.split("-")[-1]) for entry in entries]


def load_picture(path: Path) -> Tensor:
    """One picture as (3, H, W) uint8."""
    with Image.open(path) as image:
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).contiguous()


def load_pictures(paths: Sequence[Path], device: torch.device | str = "cpu") -> list[Tensor]:
    """All pictures, kept as uint8 on `device`: decoding them for every batch would cost more."""
    return [load_picture(path).to(device) for path in paths]


class CropSampler:
    """Random square crops at random scales, mirrored half of the time; seeded and resumable."""

    def __init__(self, pictures: Sequence[Tensor], *, size_px: int, seed: int = 0) -> None:
        """`pictures`: (3, H, W) uint8 each; crops come out at `size_px`."""
        self._pictures = pictures
        self._size_px = size_px
        self._random = seeded(seed)

    def batch(self, count: int) -> Tensor:
        """`count` crops: (count, 3, size_px, size_px), RGB, 0-1."""
        return torch.cat([self._crop() for _ in range(count)])

    def state(self) -> Tensor:
        """The random generator's state, for a checkpoint."""
        return self._random.get_state()

    def restore(self, state: Tensor) -> None:
        """Go on where `state` was taken."""
        self._random.set_state(state)

    def _crop(self) -> Tensor:
        picture = self._pictures[self._below(len(self._pictures))]
        short = min(picture.shape[-2:])
        smallest = min(self._size_px, short)
        side = smallest + self._below(short - smallest + 1)
        top = self._below(picture.shape[-2] - side + 1)
        left = self._below(picture.shape[-1] - side + 1)
        crop = picture[None, :, top : top + side, left : left + side].float() / 255
        if self._below(2):
            crop = crop.flip(-1)
        return resize(crop, (self._size_px, self._size_px), mode="bilinear").clamp(0, 1)

    def _below(self, bound: int) -> int:
        return int(torch.randint(bound, (), generator=self._random))


class MixedCrops:
    """Batches of photographs and style pictures in a fixed proportion; seeded and resumable."""

    def __init__(
        self,
        data: Path,
        split: Split,
        *,
        size_px: int,
        style_share: float,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        """Load the split's pictures from `data`/photos and `data`/styles to `device`."""
        photos = load_pictures(picture_paths(data / "photos", split), device)
        styles = load_pictures(picture_paths(data / "styles", split), device)
        self._photos = CropSampler(photos, size_px=size_px, seed=seed)
        self._styles = CropSampler(styles, size_px=size_px, seed=seed + 1)
        self._style_share = style_share

    def batch(self, count: int) -> Tensor:
        """`count` crops: (count, 3, size_px, size_px), RGB, 0-1, channels last."""
        styles = round(count * self._style_share)
        crops = torch.cat([self._photos.batch(count - styles), self._styles.batch(styles)])
        return crops.contiguous(memory_format=torch.channels_last)

    def state(self) -> list[Tensor]:
        """Both random generators' states, for a checkpoint."""
        return [self._photos.state(), self._styles.state()]

    def restore(self, states: Sequence[Tensor]) -> None:
        """Go on where `states` were taken."""
        self._photos.restore(states[0])
        self._styles.restore(states[1])
