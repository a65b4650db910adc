"""Where a painting keeps to the photo."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.face_mask import FaceMask
from models.faces import Face

FACE = Face(
    centre=(0.5, 0.4),
    width=0.2,
    height=0.28,
    landmarks=((0.45, 0.36), (0.55, 0.36), (0.5, 0.41), (0.46, 0.47), (0.54, 0.47)),
    score=0.9,
)
LYING = replace(
    FACE,
    centre=(0.4, 0.5),
    landmarks=((0.36, 0.55), (0.36, 0.45), (0.41, 0.5), (0.47, 0.54), (0.47, 0.46)),
)
LONG_SIDE = 200


def _mask(*faces: Face, size: tuple[int, int] = (160, LONG_SIDE)) -> Tensor:
    found = FaceMask.of(faces, size, long_side_px=LONG_SIDE, device=torch.device("cpu"))
    assert found.mask.shape == (1, 1, *size)
    return found.mask[0, 0]


def _at(mask: Tensor, point: tuple[float, float]) -> float:
    return float(mask[round(point[1] * LONG_SIDE), round(point[0] * LONG_SIDE)])


@pytest.mark.parametrize("face", [FACE, LYING])
def test_eyes_and_mouth_are_kept_most_and_nothing_beyond_the_hair(face: Face) -> None:
    mask = _mask(face)
    assert float(mask.min()) >= 0
    assert float(mask.max()) <= 1
    right_eye, left_eye, _, right_corner, left_corner = face.landmarks
    mouth = (right_corner[0] + left_corner[0]) / 2, (right_corner[1] + left_corner[1]) / 2
    assert min(_at(mask, point) for point in (right_eye, left_eye, mouth)) > 0.95
    down = face.down
    chin = (face.centre[0] + 0.13 * down[0], face.centre[1] + 0.13 * down[1])
    beyond = (face.centre[0] - 0.26 * down[0], face.centre[1] - 0.26 * down[1])
    assert 0.4 < _at(mask, chin) < 0.95
    assert _at(mask, beyond) == 0
    assert _at(mask, (0.1, 0.1)) == 0


def test_the_mask_fades_without_an_edge() -> None:
    mask = _mask(FACE)
    steps = torch.cat([mask.diff(dim=0).abs().flatten(), mask.diff(dim=1).abs().flatten()])
    assert float(steps.max()) < 0.12


def test_faces_that_overlap_do_not_add_up() -> None:
    beside = replace(FACE, centre=(0.6, 0.4))
    both = _mask(FACE, beside)
    assert torch.equal(both, torch.maximum(_mask(FACE), _mask(beside)))


def test_a_padded_picture_has_its_faces_where_the_photo_has_them() -> None:
    padded = _mask(FACE, size=(180, 240))
    torch.testing.assert_close(padded[:160, :200], _mask(FACE))


def test_a_face_half_outside_is_kept_as_far_as_it_is_seen() -> None:
    one, two, three, four, five = ((x - 0.5, y) for x, y in FACE.landmarks)
    outside = replace(FACE, centre=(0, 0.4), landmarks=(one, two, three, four, five))
    assert float(_mask(outside)[:, 0].max()) > 0.6


def test_detail_is_as_fine_as_the_usual_eye() -> None:
    small, large = replace(FACE, width=0.05), replace(FACE, width=0.6)

    def detail(*faces: Face) -> float:
        return FaceMask.of(
            faces, (160, 200), long_side_px=LONG_SIDE, device=torch.device("cpu")
        ).detail_px

    assert detail(small) < detail(small, FACE, large) == detail(FACE) < detail(large)
