"""Sheets of labelled pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont

from models.interface import Painting, Quality, StyleOptions
from styles.catalog import default_catalog
from styles.gallery import (
    FONTS,
    GAP_PX,
    SHEET_WIDTH_PX,
    compose_sheet,
    gallery_sheet,
    painted_sheet,
)
from styles.make_gallery import draft_sheet
from tests.app.jobs.stub_stylizers import Order, PhotoStub

COLORS = ["red", "lime", "blue", "yellow", "cyan", "magenta", "navy", "olive", "teal"]


def tiles(count: int, size: tuple[int, int] = (200, 200)) -> list[tuple[str, Image.Image]]:
    return [(f"No {i}", Image.new("RGB", size, COLORS[i % 9])) for i in range(count)]


def test_nine_pictures_stand_in_three_rows_in_their_order() -> None:
    sheet = compose_sheet(tiles(9))

    assert sheet.width == SHEET_WIDTH_PX
    cell_width, cell_height = SHEET_WIDTH_PX // 3, sheet.height // 3
    for index, color in enumerate(COLORS):
        row, column = divmod(index, 3)
        middle = (int((column + 0.5) * cell_width), int((row + 0.4) * cell_height))
        assert sheet.getpixel(middle) == Image.new("RGB", (1, 1), color).getpixel((0, 0))


@pytest.mark.parametrize("count", [1, 2, 4, 10, 40, 100])
def test_any_number_fits_what_telegram_takes(count: int) -> None:
    sheet = compose_sheet(tiles(count, (40, 60)))

    assert sheet.width + sheet.height <= 10_000
    assert max(sheet.size) <= 20 * min(sheet.size)


def test_no_picture_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        compose_sheet([])


def test_a_label_stays_within_its_column() -> None:
    short = compose_sheet([("a", tiles(1)[0][1]), *tiles(2)])
    long = compose_sheet([("Ш" * 40, tiles(1)[0][1]), *tiles(2)])

    changed = np.asarray(short, int) != np.asarray(long, int)
    columns = np.flatnonzero(changed.any((0, 2)))
    assert len(columns)
    assert columns.max() < (SHEET_WIDTH_PX - GAP_PX) / 3 + GAP_PX


LETTERS = [
    *((0, letter) for letter in "ЁЖЩЪЫЬЭЮЯёжщъыьэюяAz«»—¡¿áéíóúüñãõçàêôßÄÖ"),
    *((1, letter) for letter in "漩涡浪马赛克玻璃彩立体主义点水墨波普艺术風畫，。（）、Aяのア"),
]


@pytest.mark.parametrize(("number", "letter"), LETTERS)
def test_the_fonts_have_the_letters(number: int, letter: str) -> None:
    font = ImageFont.truetype(FONTS[number], 40)
    missing = font.getmask("\U0010ffff").getbbox(), bytes(font.getmask("\U0010ffff"))

    mask = font.getmask(letter)
    assert (mask.getbbox(), bytes(mask)) != missing


def label_of(text: str) -> np.ndarray:
    """The label of one picture, dark letters on paper."""
    sheet = compose_sheet([(text, Image.new("RGB", (200, 200), "white"))])
    return np.asarray(sheet.convert("L"), int)[-180:]


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("🌟 Stars 🌟", "Stars"),
        ("油画 🌟", "油画"),
        ("ЁлкаⅠ\U0010ffff", "ЁлкаⅠ"),
        ("\U0010ffff", ""),
    ],
)
def test_a_letter_that_no_font_has_is_left_out(text: str, same_as: str) -> None:
    assert (label_of(text) == label_of(same_as)).all()


@pytest.mark.parametrize("text", ["油画", "油画 Oil", "Ёлка 油画"])
def test_a_chinese_label_is_written_in_its_own_letters(text: str) -> None:
    assert not (label_of(text) == label_of(text.replace("油画", "").strip())).all()
    assert not (label_of(text) == label_of(text.replace("油画", "水墨"))).all()


@pytest.mark.parametrize(
    "name",
    sorted({name for preset in default_catalog().presets() for name in preset.names.values()}),
)
def test_a_name_is_rather_smaller_than_cut(name: str) -> None:
    sheet = compose_sheet([(name, Image.new("RGB", (200, 200), "white"))] * 3)
    label = np.asarray(sheet.convert("L"), int)[420:, : sheet.width // 3] < 128
    columns = np.flatnonzero(label.any(0))
    last = label[:, columns[-1] - 14 :].any(1).sum()
    # The dots of an ellipsis do not rise from the line.
    assert last > label.any(1).sum() / 3


def test_the_gallery_speaks_the_users_language() -> None:
    catalog = default_catalog()

    russian, english = (
        gallery_sheet(catalog.presets(), "ru"),
        gallery_sheet(catalog.presets(), "en"),
    )

    assert russian.size == english.size
    changed = (np.asarray(russian) != np.asarray(english)).any((1, 2))
    assert changed.any()
    assert changed.mean() < 0.3  # the labels, not the pictures


def test_an_added_style_is_in_the_gallery_at_once(tmp_path: Path) -> None:
    catalog = default_catalog(tmp_path / "own")
    Image.new("RGB", (300, 300), "purple").save(tmp_path / "purple.png")

    catalog.add("Лиловое", tmp_path / "purple.png")

    sheet = np.asarray(gallery_sheet(catalog.presets(), "ru"), int)
    purple = np.abs(sheet - (128, 0, 128)).max(-1) < 4
    assert purple.sum() > 20_000


def test_every_preset_paints_the_given_photo() -> None:
    presets = default_catalog().presets()
    painted: list[str] = []

    def paint(slug: str) -> Image.Image:
        painted.append(slug)
        return Image.new("RGB", (90, 60), "gray")

    sheet = painted_sheet(presets, "en", lambda preset: paint(preset.slug))

    assert painted == [preset.slug for preset in presets]
    assert sheet.width == SHEET_WIDTH_PX


def test_drafts_stand_beside_paintings() -> None:
    """Photo, style, draft, painting: each row in its preset's own options."""
    asked: list[StyleOptions] = []

    class Painter(PhotoStub):
        def paint(self, order: Order) -> Painting:
            asked.append(order.options)
            color = "lime" if order.options.quality is Quality.DRAFT else "red"
            picture = Image.new("RGB", (40, 30), color)
            return Painting(picture=picture, options=order.options, steps=0, seconds=0)

    catalog = default_catalog()
    sheet = draft_sheet(catalog, Painter(), size_px=64)

    presets = catalog.presets()
    cell = sheet.width // 4
    assert sheet.height == cell * len(presets)
    for row in range(len(presets)):
        middle = cell * row + cell // 2
        assert sheet.getpixel((cell * 2 + cell // 2, middle)) == (0, 255, 0)
        assert sheet.getpixel((cell * 3 + cell // 2, middle)) == (255, 0, 0)
    assert [options.brush for options in asked[::2]] == [preset.brush for preset in presets]
