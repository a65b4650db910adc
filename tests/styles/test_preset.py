"""Reading entries: what is right is a preset, what is wrong is named by file and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from styles.preset import read_folder
from tests.styles.conftest import ENTRY, AddEntry


def test_an_entry_becomes_a_preset(folder: Path, add_entry: AddEntry) -> None:
    add_entry(
        "sea",
        ru="Море",
        en="Sea",
        more="strength = 85\nbrush = 2\nkeep_colors = true\nkeep_faces = false",
    )

    [preset], problems = read_folder(folder)

    assert problems == []
    assert preset.slug == "sea"
    assert (preset.name("ru"), preset.name("en"), preset.name("fr")) == ("Море", "Sea", "Sea")
    assert preset.picture == (folder / "images" / "sea.jpg").resolve()
    assert (preset.strength, preset.brush) == (85, 2.0)
    assert (preset.keep_colors, preset.keep_faces) == (True, False)
    assert (preset.credit, preset.licence) == ("me", "CC0-1.0")


def test_five_lines_are_enough(folder: Path, add_entry: AddEntry) -> None:
    five = '[[preset]]\nslug = "{slug}"\nname = "{ru}"\nfile = "images/{slug}.jpg"\n'
    add_entry("sea", ru="Море", entry=five + 'credit = "me"\nlicence = "own"\n')

    [preset], problems = read_folder(folder)

    assert problems == []
    assert preset.name("ru") == preset.name("en") == "Море"
    assert preset.description("ru") == ""
    assert (preset.strength, preset.brush) == (70, 1.0)
    assert (preset.keep_colors, preset.keep_faces) == (False, True)


def test_no_file_is_no_problem(folder: Path) -> None:
    assert read_folder(folder) == ([], [])
    assert read_folder(folder / "nowhere") == ([], [])


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('slug = "sea"', "", "slug"),
        ('slug = "sea"', 'slug = "../sea"', "slug"),
        ('slug = "sea"', "slug = 7", "slug"),
        ('name.en = "Name sea"', "", "name.en"),
        ('name.en = "Name sea"', 'name.en = " "', "name.en"),
        ('name.en = "Name sea"', f'name.en = "{"x" * 60}"', "name"),
        ('file = "images/sea.jpg"', "", "file"),
        ('file = "images/sea.jpg"', 'file = "images/gone.jpg"', "file"),
        ('file = "images/sea.jpg"', 'file = "../../secret.jpg"', "file"),
        ('file = "images/sea.jpg"', 'file = "presets.toml"', "file"),
        ('credit = "me"', "", "credit"),
        ('credit = "me"', "credit = []", "credit"),
        ('licence = "CC0-1.0"', "", "licence"),
        ('licence = "CC0-1.0"', 'licence = "x"\nstrength = 101', "strength"),
        ('licence = "CC0-1.0"', 'licence = "x"\nstrength = 70.5', "strength"),
        ('licence = "CC0-1.0"', 'licence = "x"\nstrength = true', "strength"),
        ('licence = "CC0-1.0"', 'licence = "x"\nbrush = 0.1', "brush"),
        ('licence = "CC0-1.0"', 'licence = "x"\nbrush = "wide"', "brush"),
        ('licence = "CC0-1.0"', 'licence = "x"\nkeep_colors = "no"', "keep_colors"),
        ('licence = "CC0-1.0"', 'licence = "x"\nkeep_faces = "paint"', "keep_faces"),
        ('licence = "CC0-1.0"', 'licence = "x"\ndescription.ru = "х"', "description.en"),
        ('licence = "CC0-1.0"', 'licence = "x"\nstrenght = 5', "strenght"),
    ],
)
def test_a_bad_field_is_named_and_the_others_go_on(
    folder: Path, add_entry: AddEntry, old: str, new: str, field: str
) -> None:
    add_entry("before")
    bad = ENTRY.format(slug="sea", ru="Имя sea", en="Name sea")
    assert old in bad
    add_entry("sea", entry=bad.replace(old, new))
    add_entry("after")

    presets, problems = read_folder(folder)

    assert [preset.slug for preset in presets] == ["before", "after"]
    [problem] = problems
    assert str(folder / "presets.toml") in problem
    assert "entry 2" in problem
    assert repr(field) in problem


def test_a_truncated_picture_is_a_problem(folder: Path, add_entry: AddEntry) -> None:
    add_entry("sea")
    picture = folder / "images" / "sea.jpg"
    whole = picture.read_bytes()
    picture.write_bytes(whole[: len(whole) // 2])

    presets, [problem] = read_folder(folder)

    assert presets == []
    assert "'file'" in problem
    assert "sea.jpg" in problem


@pytest.mark.parametrize(
    "text", ["[[preset]\n", "preset = 3", 'preset = ["sea"]', "[preset]\nslug = 'sea'"]
)
def test_a_broken_file_is_one_problem(folder: Path, text: str) -> None:
    (folder / "presets.toml").write_text(text)

    presets, [problem] = read_folder(folder)

    assert presets == []
    assert str(folder / "presets.toml") in problem


def test_a_file_that_is_not_text_is_one_problem(folder: Path) -> None:
    (folder / "presets.toml").write_bytes(b"\xff\xfe\x00")

    assert len(read_folder(folder)[1]) == 1
