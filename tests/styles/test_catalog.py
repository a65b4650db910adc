"""The catalogue: the owner's presets beside the packaged ones, added and removed."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from PIL import Image

from styles.catalog import (
    BadNameError,
    BadPictureError,
    Catalog,
    CatalogError,
    NameTakenError,
    NotOwnError,
    default_catalog,
)
from tests.styles.conftest import AddEntry, save_picture_of


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "own" / "styles"


@pytest.fixture
def catalog(folder: Path, add_entry: AddEntry, own: Path) -> Catalog:
    add_entry("sea", ru="Море", en="Sea")
    add_entry("sky", ru="Небо", en="Sky")
    return Catalog(folder, own)


def slugs(catalog: Catalog) -> list[str]:
    return [preset.slug for preset in catalog.presets()]


@pytest.mark.parametrize("text", ["sea", "SEA", " Sea ", "море", "МОРЕ"])
def test_a_preset_is_found_by_slug_and_by_any_name(catalog: Catalog, text: str) -> None:
    found = catalog.find(text)

    assert found is not None
    assert found.slug == "sea"


def test_what_is_not_there_is_not_found(catalog: Catalog) -> None:
    assert catalog.find("mountain") is None
    assert catalog.find("") is None
    assert catalog.get("mountain") is None


def test_an_added_style_is_there_at_once_and_after_a_restart(
    catalog: Catalog, folder: Path, own: Path, picture: Path
) -> None:
    added = catalog.add('Мой «закат» \\ "sun"', picture)

    assert slugs(catalog) == ["sea", "sky", added.slug]
    assert added.own
    assert added.name("ru") == added.name("en") == 'Мой «закат» \\ "sun"'
    again = Catalog(folder, own)
    assert again.presets() == catalog.presets()
    assert again.problems == ()


def test_an_added_picture_keeps_nothing_but_its_pixels(catalog: Catalog, tmp_path: Path) -> None:
    sideways = Image.new("RGB", (120, 80), "orange")
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "at home"
    sideways.save(tmp_path / "photo.jpg", exif=exif)

    added = catalog.add("Home", tmp_path / "photo.jpg")

    with Image.open(added.picture) as kept:
        assert kept.size == (80, 120)
        assert not kept.getexif()
    assert b"at home" not in added.picture.read_bytes()


@pytest.mark.parametrize("name", ["Море", "sea", "SKY", "небо "])
def test_a_taken_name_is_refused(catalog: Catalog, own: Path, picture: Path, name: str) -> None:
    with pytest.raises(NameTakenError, match="taken") as caught:
        catalog.add(name, picture)

    assert caught.value.taken_by in {"sea", "sky"}
    assert slugs(catalog) == ["sea", "sky"]
    assert not list(own.rglob("*.jpg"))


@pytest.mark.parametrize("name", ["", "\u200b", "x" * 41])
def test_what_is_no_name_is_refused(catalog: Catalog, picture: Path, name: str) -> None:
    with pytest.raises(BadNameError, match="name"):
        catalog.add(name, picture)


def test_names_that_read_alike_in_latin_get_two_slugs(catalog: Catalog, picture: Path) -> None:
    first, second = catalog.add("Лес", picture), catalog.add("Les'", picture)

    assert first.slug == "les"
    assert second.slug == "les-2"
    assert catalog.problems == ()


@pytest.mark.parametrize("name", ["../../../evil", "/etc/passwd", "..", "con.jpg\x00.png"])
def test_no_name_leaves_the_folder(catalog: Catalog, own: Path, picture: Path, name: str) -> None:
    added = catalog.add(name, picture)

    assert added.picture.parent == (own / "images").resolve()


def test_a_broken_picture_is_refused_and_leaves_nothing(
    catalog: Catalog, own: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff not a picture")

    with pytest.raises(BadPictureError, match="picture"):
        catalog.add("Broken", tmp_path / "broken.jpg")

    assert slugs(catalog) == ["sea", "sky"]
    assert not [path for path in own.rglob("*") if path.is_file()]


def test_without_a_folder_nothing_can_be_added(
    folder: Path, add_entry: AddEntry, picture: Path
) -> None:
    add_entry("sea")

    with pytest.raises(CatalogError, match="no folder"):
        Catalog(folder).add("Hill", picture)


def test_a_removed_style_is_gone_with_its_pictures(
    catalog: Catalog, folder: Path, own: Path, picture: Path
) -> None:
    kept, gone = catalog.add("Hill", picture), catalog.add("Wood", picture)
    gone.painted_sample.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(picture, gone.painted_sample)
    assert gone.shown == gone.painted_sample

    assert catalog.remove(gone.slug) == gone

    assert slugs(catalog) == slugs(Catalog(folder, own)) == ["sea", "sky", kept.slug]
    assert not gone.picture.exists()
    assert not gone.painted_sample.exists()
    assert catalog.add("Wood", picture).slug == gone.slug


def test_the_last_one_can_go_and_another_come(catalog: Catalog, picture: Path) -> None:
    for _ in range(2):
        catalog.remove(catalog.add("Hill", picture).slug)
        assert slugs(catalog) == ["sea", "sky"]
        assert catalog.problems == ()


@pytest.mark.parametrize("slug", ["sea", "mountain", "../sea"])
def test_only_added_styles_can_be_removed(catalog: Catalog, slug: str) -> None:
    with pytest.raises(NotOwnError):
        catalog.remove(slug)

    assert slugs(catalog) == ["sea", "sky"]


def test_the_owners_own_lines_survive(catalog: Catalog, own: Path, picture: Path) -> None:
    save_picture_of("plum", own / "images" / "plum.jpg")
    file = own / "presets.toml"
    by_hand = '# mine\n[[preset]]\nslug = "plum"  # ripe\nname = "Plum"\nfile = "images/plum.jpg"\n'
    file.write_text(by_hand + 'credit = "me"\nlicence = "own"\n', encoding="utf-8")
    catalog.reload()

    catalog.remove(catalog.add("Hill", picture).slug)

    text = file.read_text(encoding="utf-8")
    assert "# mine" in text
    assert "# ripe" in text
    assert slugs(catalog) == ["sea", "sky", "plum"]


def test_a_file_that_cannot_be_read_is_not_overwritten(
    catalog: Catalog, own: Path, picture: Path
) -> None:
    own.mkdir(parents=True)
    (own / "presets.toml").write_text("[[preset]\nslug =")

    with pytest.raises(CatalogError, match="repair it first"):
        catalog.add("Hill", picture)

    assert (own / "presets.toml").read_text() == "[[preset]\nslug ="


@pytest.mark.parametrize(("slug", "ru"), [("sea", "Озеро"), ("lake", "Море")])
def test_an_own_entry_that_clashes_is_a_problem(
    catalog: Catalog, own: Path, slug: str, ru: str
) -> None:
    save_picture_of("navy", own / "images" / "lake.jpg")
    (own / "presets.toml").write_text(
        f'[[preset]]\nslug = "{slug}"\nname.ru = "{ru}"\nname.en = "Lake"\n'
        'file = "images/lake.jpg"\ncredit = "me"\nlicence = "own"\n',
        encoding="utf-8",
    )

    catalog.reload()

    assert slugs(catalog) == ["sea", "sky"]
    [problem] = catalog.problems
    assert str(own / "presets.toml") in problem
    assert "'sea'" in problem


def test_a_picture_that_two_entries_share_stays(catalog: Catalog, own: Path, picture: Path) -> None:
    hill = catalog.add("Hill", picture)
    with (own / "presets.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[preset]]\nslug = "twin"\nname = "Twin"\nfile = "images/hill.jpg"\n')
        file.write('credit = "me"\nlicence = "own"\n')
    catalog.reload()

    catalog.remove(hill.slug)

    assert slugs(catalog) == ["sea", "sky", "twin"]
    assert hill.picture.exists()


def test_a_folder_that_cannot_be_used_is_named(
    folder: Path, add_entry: AddEntry, picture: Path
) -> None:
    add_entry("sea")

    with pytest.raises(CatalogError, match=r"given\.png"):
        Catalog(folder, picture / "styles").add("Hill", picture)


def test_many_at_once_lose_nothing(
    catalog: Catalog, folder: Path, own: Path, picture: Path
) -> None:
    threads = [
        threading.Thread(target=catalog.add, args=(f"Hill {number}", picture))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(slugs(catalog)) == len(slugs(Catalog(folder, own))) == 10


def test_the_packaged_catalogue_takes_own_styles(own: Path, picture: Path) -> None:
    catalog = default_catalog(own)

    added = catalog.add("Моё море", picture)

    assert catalog.find("моё море") == added
    with pytest.raises(NameTakenError):
        catalog.add("Витраж", picture)
