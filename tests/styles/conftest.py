"""Folders of presets to read and to spoil."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

ENTRY = """
[[preset]]
slug = "{slug}"
name.ru = "{ru}"
name.en = "{en}"
file = "images/{slug}.jpg"
credit = "me"
licence = "CC0-1.0"
"""

AddEntry = Callable[..., None]


def save_picture_of(color: str, path: Path, size: tuple[int, int] = (96, 80)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "presets").mkdir()
    return tmp_path / "presets"


@pytest.fixture
def add_entry(folder: Path) -> AddEntry:
    """Write one more good entry, with its picture; `more` are further lines, or others."""

    def add(slug: str, *, ru: str = "", en: str = "", entry: str = ENTRY, more: str = "") -> None:
        save_picture_of("teal", folder / "images" / f"{slug}.jpg")
        text = entry.format(slug=slug, ru=ru or f"Имя {slug}", en=en or f"Name {slug}")
        with (folder / "presets.toml").open("a", encoding="utf-8") as file:
            file.write(text + more + "\n")

    return add


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return save_picture_of("orange", tmp_path / "given.png")
