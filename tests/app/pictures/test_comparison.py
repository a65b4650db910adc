from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from app.pictures.comparison import LONG_SIDE_PX, compare, side_by_side
from models.pictures.problems import PictureError
from models.pictures.reading import open_picture


def near(picture: Image.Image, at: tuple[int, int], color: str) -> bool:
    found, meant = picture.getpixel(at), Image.new("RGB", (1, 1), color).getpixel((0, 0))
    assert isinstance(found, tuple)
    assert isinstance(meant, tuple)
    return max(abs(a - b) for a, b in zip(found, meant, strict=True)) < 40


@pytest.mark.parametrize("photo_size", [(400, 300), (4000, 3000), (80, 60)])
def test_both_have_the_paintings_height_and_a_thin_gap(photo_size: tuple[int, int]) -> None:
    whole = side_by_side(Image.new("RGB", photo_size, "red"), Image.new("RGB", (800, 600), "blue"))
    assert whole.height == 600
    assert 1602 <= whole.width <= 1620
    assert near(whole, (5, 595), "red")
    assert near(whole, (795, 5), "red")
    assert near(whole, (whole.width // 2, 300), "white")
    assert near(whole, (whole.width - 5, 595), "blue")


def test_a_large_painting_is_made_as_large_as_telegram_keeps() -> None:
    whole = side_by_side(Image.new("RGB", (300, 400)), Image.new("RGB", (3072, 4096)))
    assert LONG_SIDE_PX - 4 <= max(whole.size) <= LONG_SIDE_PX


def test_a_panorama_lies_above_its_painting() -> None:
    whole = side_by_side(Image.new("RGB", (2000, 100), "red"), Image.new("RGB", (1000, 50), "blue"))
    assert whole.width == 1000
    assert max(whole.size) / min(whole.size) <= 20
    assert near(whole, (500, 20), "red")
    assert near(whole, (500, whole.height - 20), "blue")


def test_the_photo_stands_upright(tmp_path: Path) -> None:
    lying = Image.new("RGB", (400, 300), "red")
    lying.paste("green", (0, 0, 400, 150))
    exif = lying.getexif()
    exif[0x0112] = 6
    lying.save(tmp_path / "photo.jpg", exif=exif)
    Image.new("RGB", (300, 400), "blue").save(tmp_path / "painting.jpg")
    (tmp_path / "both.jpg").write_bytes(compare(tmp_path / "photo.jpg", tmp_path / "painting.jpg"))
    whole = open_picture(tmp_path / "both.jpg")
    assert whole.height == 400
    assert near(whole, (20, 200), "red")
    assert near(whole, (280, 200), "green")


def test_a_photo_that_is_gone_is_an_error(tmp_path: Path) -> None:
    Image.new("RGB", (30, 40)).save(tmp_path / "painting.jpg")
    with pytest.raises(PictureError):
        compare(tmp_path / "photo.jpg", tmp_path / "painting.jpg")
