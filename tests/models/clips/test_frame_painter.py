"""Frames painted like the ones before: faces, shots, and what a clip has in common with a photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.clips.frame_painter import FramePainter
from models.clips.frame_pixels import Pixels
from models.draft.drafter import Drafter, load_drafter
from models.faces import Face, FaceFinder
from models.interface import Style, StyleOptions
from models.tensors.images import to_picture, to_tensor
from tests.clip_files import scenes
from tests.models.tiny_encoder import style_file

CPU = torch.device("cpu")
FACE = Face(
    centre=(0.5, 0.375),
    width=0.4,
    height=0.5,
    landmarks=((0.4, 0.3), (0.6, 0.3), (0.5, 0.37), (0.42, 0.45), (0.58, 0.45)),
    score=0.95,
)


class SeenOnce(FaceFinder):
    """Finds a face in the first frame it looks at, and none after that."""

    def __init__(self) -> None:
        self.looks = 0

    def find(self, photo: Image.Image) -> list[Face]:
        self.looks += 1
        return [FACE] if self.looks == 1 else []


@pytest.fixture(scope="module")
def drafter() -> Drafter:
    found = load_drafter(CPU)
    assert found is not None
    return found


@pytest.fixture
def style(tmp_path: Path) -> Style:
    return Style(style_file(tmp_path / "style.png"))


def painted(painter: FramePainter, frames: list[Pixels]) -> list[Pixels]:
    return [painter.paint(frame) for frame in frames]


def test_a_first_frame_is_painted_as_a_photo_is(drafter: Drafter, style: Style) -> None:
    (frame,) = scenes(1, (96, 64))
    options = StyleOptions(size_px=96, strength=80)
    (painting,) = painted(FramePainter(drafter, None, [style], options, device=CPU), [frame])
    photo = to_tensor(Image.fromarray(frame))
    draft = drafter.draft(photo, [style], brush=options.brush, strength=options.strength)
    assert np.abs(painting - np.asarray(to_picture(draft)).astype(int)).max() <= 1


def test_a_face_stays_where_it_was_until_the_next_look_and_fades_then(
    drafter: Drafter, style: Style
) -> None:
    frames = [scenes(1, (96, 72))[0]] * 18
    options = StyleOptions(size_px=96)
    finder = SeenOnce()
    natural = painted(FramePainter(drafter, finder, [style], options, device=CPU), frames)
    as_painted = painted(FramePainter(drafter, None, [style], options, device=CPU), frames)
    other = [
        np.abs(one.astype(int) - two).mean() for one, two in zip(natural, as_painted, strict=True)
    ]
    assert finder.looks == 3
    assert other[7] > 0.8 * other[0] > 0
    assert other[17] < 0.7 * other[7]


def test_faces_are_looked_for_in_every_shot(drafter: Drafter, style: Style) -> None:
    frames = scenes(2, (96, 72))
    finder = SeenOnce()
    painter = FramePainter(drafter, finder, [style], StyleOptions(size_px=96), device=CPU)
    painted(painter, [*frames, *(255 - frame for frame in frames)])
    assert finder.looks == 2


def test_nobody_looks_for_faces_that_are_to_be_painted(drafter: Drafter, style: Style) -> None:
    finder = SeenOnce()
    options = StyleOptions(size_px=96, keep_faces=False)
    painted(FramePainter(drafter, finder, [style], options, device=CPU), scenes(2, (96, 72)))
    assert finder.looks == 0


@pytest.mark.parametrize("size", [(96, 6), (6, 96)])
def test_the_narrowest_clips_are_painted(
    size: tuple[int, int], drafter: Drafter, style: Style
) -> None:
    options = StyleOptions(size_px=96)
    found = painted(FramePainter(drafter, None, [style], options, device=CPU), scenes(3, size))
    assert [painting.shape for painting in found] == [(size[1], size[0], 3)] * 3


def test_the_same_clip_is_painted_the_same(drafter: Drafter, style: Style) -> None:
    options = StyleOptions(size_px=64)
    one, other = (
        painted(FramePainter(drafter, None, [style], options, device=CPU), scenes(4))
        for _ in range(2)
    )
    assert all((a == b).all() for a, b in zip(one, other, strict=True))
