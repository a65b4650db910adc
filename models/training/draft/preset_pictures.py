"""The presets as the draft network learns them: each picture at its usual brush."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from models.pictures.reading import open_picture
from models.tensors.images import scaled, to_tensor

PRESETS = Path("styles/presets.toml")
"""The packaged list, from the repository's root."""


@dataclass(frozen=True, slots=True)
class PresetPicture:
    """A preset's style picture."""

    path: Path
    brush: float
    """How wide its strokes are by default, relative to the usual."""

    def tensor(self, long_side_px: int) -> Tensor:
        """(1, 3, H, W), RGB, 0-1, as large as `long_side_px` becomes with the brush."""
        picture = to_tensor(open_picture(self.path), "cpu")
        return scaled(picture, round(long_side_px * self.brush))


def preset_pictures(listed: Path = PRESETS) -> list[PresetPicture]:
    """The pictures of a presets.toml, in its order."""
    entries = tomllib.loads(listed.read_text(encoding="utf-8"))["preset"]
    return [
        PresetPicture(listed.parent / entry["file"], float(entry.get("brush", 1)))
        for entry in entries
    ]
