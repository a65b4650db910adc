"""What strangers send instead of a photo: the right picture, or one friendly sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e import pictures
from tests.e2e.actor import Actor
from tests.e2e.test_conversations import preset_names

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]


async def choose_a_style(person: Actor) -> None:
    await person.sends("/style")
    await person.presses("Yes")
    await person.presses(preset_names("en")[0])
    await person.sees("send me a photo")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: b"%PDF-1.7 not a picture at all", "as a PNG, or a screenshot"),
        (pictures.truncated_jpeg, "damaged or not complete"),
        (pictures.huge_png, "too large.*megapixels"),
        (lambda: pictures.photo(0, (3, 3)), "too small"),
        (lambda: pictures.photo(0, (800, 20)), "too narrow"),
        (lambda: bytes(21 * 1024 * 1024), "20 MB"),
        (lambda: b"", "JPEG, PNG or WEBP"),
        (lambda: b"8BPS" + bytes(99), "paint program"),
        (lambda: pictures.sideways_heic()[:-200], "damaged or not complete"),
    ],
    ids=[
        "no picture",
        "truncated",
        "huge",
        "3 x 3",
        "40:1",
        "over 20 MB",
        "empty",
        "PSD",
        "cut HEIC",
    ],
)
async def test_a_sentence_says_what_to_send_instead_and_the_talk_goes_on(
    ben: Actor, make: Callable[[], bytes], sentence: str
) -> None:
    await choose_a_style(ben)
    await ben.sends_files(make())
    await ben.sees(sentence)
    await ben.sends_photo(pictures.photo(30))
    await ben.sees_result()


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (pictures.cmyk_jpeg, (96, 72)),
        (pictures.sixteen_bit_png, (96, 72)),
        (pictures.transparent_png, (96, 72)),
        (pictures.sideways_jpeg, (72, 96)),
        (pictures.sideways_heic, (72, 96)),
        (lambda: pictures.encoded(pictures.hills(5), "AVIF"), (96, 72)),
        (lambda: pictures.encoded(pictures.hills(5), "TIFF"), (96, 72)),
    ],
    ids=["CMYK", "16 bits", "transparent", "EXIF orientation", "HEIC", "AVIF", "TIFF"],
)
async def test_unusual_pictures_are_painted_right(
    ben: Actor, make: Callable[[], bytes], shape: tuple[int, int]
) -> None:
    await choose_a_style(ben)
    await ben.sends_files(make())
    result = ben.picture(await ben.sees_result())
    assert result.size == shape
    assert result.mode == "RGB"
    assert result.getextrema() != ((255, 255), (255, 255), (255, 255))


async def test_a_bad_picture_in_an_album_does_not_lose_the_good_ones(ben: Actor) -> None:
    await ben.sends_files(pictures.photo(31), b"no picture", pictures.painting(31))
    await ben.sees("JPEG, PNG or WEBP")
    await ben.sees("Which one gives the style")
    await ben.presses("2")
    await ben.sees_result()
