from __future__ import annotations

import io

import pytest
from PIL import Image

from app.jobs.model import PrintSize
from app.pictures.prints import DPI, SHEETS_PX, encode_for_print, size_for_print


def test_every_sheet_that_can_be_asked_for_has_a_size() -> None:
    assert set(SHEETS_PX) == set(PrintSize)


@pytest.mark.parametrize(
    ("size", "sheet", "expected"),
    [
        ((2048, 1448), "a4", (3508, 2480)),
        ((1448, 2048), "a4", (2480, 3508)),
        ((1000, 1000), "a4", (2480, 2480)),
        ((2048, 512), "a4", (3508, 877)),
        ((1536, 2048), "a3", (3508, 4677)),
        ((4096, 3072), "a4", (3307, 2480)),
    ],
)
def test_it_fills_the_sheet_as_far_as_its_shape_allows(
    size: tuple[int, int], sheet: str, expected: tuple[int, int]
) -> None:
    assert size_for_print(size, sheet) == expected


def test_the_file_says_its_dpi_and_nothing_else() -> None:
    data = encode_for_print(Image.new("RGB", (40, 30), "teal"), "a4")
    with Image.open(io.BytesIO(data)) as printed:
        assert printed.format == "JPEG"
        assert printed.size == (3307, 2480)
        assert printed.info["dpi"] == (DPI, DPI)
        assert not printed.getexif()
