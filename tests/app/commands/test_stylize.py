"""`run.py stylize`: which pictures, into which files, and what happens to the others."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.cli import main
from models.interface import DeviceLostError, Stylizer
from tests.app.commands.conftest import save_photo
from tests.app.jobs.stub_stylizers import Breaker, Inverter

Stylize = Callable[..., int]


@pytest.fixture
def engine() -> Stylizer:
    """What paints; tests give another."""
    return Inverter()


@pytest.fixture
def stylize(here: Path, engine: Stylizer, monkeypatch: pytest.MonkeyPatch) -> Stylize:
    """The command in this process, with an engine that only pretends."""
    loaded: list[object] = []

    def load(settings: object) -> Stylizer:
        loaded.append(settings)
        return engine

    monkeypatch.setattr("app.commands.paint.load_engine", load)

    def stylize(*args: str, is_refused: bool = False) -> int:
        try:
            code = main(["stylize", "--style", "swirls", "--size", "64", *args])
        except SystemExit as ended:
            code = int(ended.code or 0)
        assert (not loaded) == is_refused
        return code

    return stylize


def painted(path: Path) -> bool:
    """Whether it is the gradient's negative: white above, black below."""
    with Image.open(path) as picture:
        grey = picture.convert("L")
    return bool(grey.getpixel((5, 2)) > 200 > 60 > grey.getpixel((5, grey.height - 3)))  # type: ignore[operator]


@pytest.mark.parametrize(
    "name", ["a.jpg", "a.JPEG", "a.png", "a.webp", "a.tif", "a.tiff", "a.avif"]
)
def test_the_format_follows_the_name(name: str, here: Path, stylize: Stylize) -> None:
    assert stylize("photo.jpg", "-o", name) == 0
    with Image.open(here / name) as picture:
        wanted = {"jpg": "jpeg", "tif": "tiff"}.get(name[2:].lower(), name[2:].lower())
        assert (picture.format or "").lower() == wanted
        assert picture.info["icc_profile"]
    assert b"a secret" not in (here / name).read_bytes()
    assert painted(here / name)


@pytest.mark.parametrize("name", ["a.bmp", "a.heic", "a.gif", "a.jpg.bak", "a", "/dev/null"])
def test_no_other_name_is_taken(
    name: str, here: Path, stylize: Stylize, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stylize("photo.jpg", "-o", name, is_refused=True) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "must end in .jpg, .jpeg, .png, .webp, .tif, .tiff or .avif" in line
    assert [path.name for path in here.iterdir()] == ["photo.jpg"]


def test_format_and_name_may_not_contradict_each_other(here: Path, stylize: Stylize) -> None:
    assert stylize("photo.jpg", "-o", "a.png", "--format", "webp", is_refused=True) == 2
    assert stylize("photo.jpg", "--format", "webp") == 0
    with Image.open(here / "photo-swirls.webp") as picture:
        assert picture.format == "WEBP"


@pytest.mark.parametrize("name", ["photo.jpg", "../here/photo.jpg", "link.jpg", "twin.jpg"])
def test_the_photo_is_not_written_over_unless_forced(
    name: str, here: Path, stylize: Stylize, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "link.jpg").symlink_to("photo.jpg")
    (here / "twin.jpg").hardlink_to(here / "photo.jpg")
    before = (here / "photo.jpg").read_bytes()
    assert stylize("photo.jpg", "-o", name, is_refused=True) == 2
    assert "--force" in capsys.readouterr().err
    assert (here / "photo.jpg").read_bytes() == before
    assert stylize("photo.jpg", "-o", name, "--force") == 0
    assert painted(here / name)
    assert (here / "link.jpg").is_symlink()


def test_nor_is_a_style_picture(here: Path, stylize: Stylize) -> None:
    save_photo(here / "style.jpg")
    before = (here / "style.jpg").read_bytes()
    args = ("photo.jpg", "--style", "style.jpg", "-o", "style.jpg")
    assert stylize(*args, is_refused=True) == 2
    assert (here / "style.jpg").read_bytes() == before


def test_what_was_painted_before_is_replaced(here: Path, stylize: Stylize) -> None:
    (here / "photo-swirls.jpg").write_text("an older painting")
    assert stylize("photo.jpg") == 0
    assert painted(here / "photo-swirls.jpg")


def test_a_disk_without_room_is_found_out_first(
    here: Path,
    stylize: Stylize,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    usage = shutil.disk_usage(here)._replace(free=10_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert stylize("photo.jpg", is_refused=True) == 2
    assert "not enough room" in capsys.readouterr().err


def test_a_pipe_is_no_place_for_a_file(here: Path, stylize: Stylize) -> None:
    os.mkfifo(here / "pipe.jpg")
    assert stylize("photo.jpg", "-o", "pipe.jpg", is_refused=True) == 2
    assert (here / "pipe.jpg").is_fifo()


def test_a_folder_is_painted_and_a_bad_file_stops_no_other(
    here: Path, stylize: Stylize, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("b.jpg", "a.png", ".hidden.jpg", "deeper/c.jpg"):
        save_photo(here / "photos" / name)
    (here / "photos" / "notes.txt").write_text("words")
    (here / "photos" / "bad.jpg").write_text("words")
    (here / "photos" / "cut.jpg").write_bytes((here / "photo.jpg").read_bytes()[:-300])
    assert stylize("photos", "-o", "painted/here") == 1
    said = capsys.readouterr()
    assert said.out.splitlines() == ["painted/here/a-swirls.jpg", "painted/here/b-swirls.jpg"]
    assert {path.name for path in (here / "painted" / "here").iterdir()} == {
        "a-swirls.jpg",
        "b-swirls.jpg",
    }
    bad, cut, in_all = said.err.splitlines()
    assert bad.startswith("run.py: photos/bad.jpg: This is not a picture")
    assert cut.startswith("run.py: photos/cut.jpg: The picture is damaged")
    assert in_all == "run.py: 2 of 4 photos could not be painted"


def test_a_folder_with_one_photo_goes_into_a_folder_too(here: Path, stylize: Stylize) -> None:
    assert stylize(".", "-o", "painted") == 0
    assert painted(here / "painted" / "photo-swirls.jpg")


def test_no_painting_replaces_another(here: Path, stylize: Stylize) -> None:
    photos = ["a/x.jpg", "b/x.jpg", "x.png", "X.jpg", "x-swirls-2.jpg", "../here/a/x.jpg"]
    for name in photos:
        save_photo(here / name)
    assert stylize(*photos, "-o", "painted") == 0
    names = {path.name.casefold() for path in (here / "painted").iterdir()}
    assert len(names) == len(photos) - 1  # the last one is the first one again


def test_several_photos_do_not_go_into_one_file(
    here: Path, stylize: Stylize, capsys: pytest.CaptureFixture[str]
) -> None:
    save_photo(here / "b.jpg")
    assert stylize("photo.jpg", "b.jpg", "-o", "a.jpg", is_refused=True) == 2
    assert "several go into a folder" in capsys.readouterr().err
    assert stylize("photo.jpg", "b.jpg", "-o", "-", is_refused=True) == 2
    assert not (here / "a.jpg").exists()


def test_json_is_a_line_for_each_photo(
    here: Path, stylize: Stylize, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stylize("missing.jpg", "photo.jpg", "--json") == 1
    missing, there = map(json.loads, capsys.readouterr().out.splitlines())
    assert missing["photo"] == "missing.jpg"
    assert "no file" in missing["error"]
    assert (there["photo"], there["out"]) == ("photo.jpg", "photo-swirls.jpg")


class TestFailingEngine:
    """One photo that the engine has trouble with."""

    @pytest.fixture
    def engine(self, request: pytest.FixtureRequest) -> Stylizer:
        return Breaker(request.param, {Path("bad.jpg")})

    @pytest.fixture
    def photos(self, here: Path) -> Any:
        return [save_photo(here / name).name for name in ("a.jpg", "bad.jpg", "c.jpg")]

    @pytest.mark.parametrize("engine", [RuntimeError("an odd photo")], indirect=True)
    def test_what_nobody_thought_of_stops_no_other(
        self, photos: list[str], here: Path, stylize: Stylize, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert stylize(*photos) == 1
        assert "run.py: bad.jpg: RuntimeError: an odd photo" in capsys.readouterr().err
        assert painted(here / "c-swirls.jpg")

    @pytest.mark.parametrize("engine", [DeviceLostError("The GPU is gone.")], indirect=True)
    def test_without_its_gpu_no_other_is_tried(
        self, photos: list[str], here: Path, stylize: Stylize, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert stylize(*photos) == 1
        assert capsys.readouterr().err == "run.py: The GPU is gone.\n"
        assert painted(here / "a-swirls.jpg")
        assert not (here / "c-swirls.jpg").exists()


@pytest.mark.parametrize(
    ("args", "name", "form"),
    [((), "sheet.png", "PNG"), (("--format", "webp"), "sheet.webp", "WEBP")],
)
def test_a_gallery_has_a_format_of_its_own(
    args: tuple[str, ...],
    name: str,
    form: str,
    here: Path,
    engine: Stylizer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.commands.styles.load_engine", lambda _: engine)
    assert main(["styles", "--gallery", "photo.jpg", "--size", "64", *args]) == 0
    with Image.open(here / name) as sheet:
        assert sheet.format == form
