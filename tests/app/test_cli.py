"""run.py as scripts use it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from PIL import Image

from app.cli import main
from app.monitoring.heartbeat import is_alive
from tests.app.sandbox.faulty_sandbox import FaultySandbox

ROOT = Path(__file__).parents[2]
TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"
NOBODY = "http://127.0.0.1:9"
"""The port of a service that nobody offers any more."""


def exit_code(*args: str) -> int:
    """What the process would end with; argparse ends it by itself."""
    try:
        return main(args)
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a photo, and no settings but this data folder."""
    Image.linear_gradient("L").resize((120, 90)).convert("RGB").save(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BOT_TOKEN", raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DEVICE", "cpu")
    return tmp_path


def test_stylize_says_what_it_did(here: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [
            *(sys.executable, str(ROOT / "run.py"), "stylize", "photo.jpg"),
            *("--style", "swirls", "--style", "Mosaic", "--json", "-o", "out.png"),
            *("--size", "96", "--steps", "3", "--strength", "60", "--encoder", "slim"),
            *("--faces", "paint"),
        ],
        cwd=here,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["width_px"], said["height_px"]) == (96, 72)
    assert said["strength"] == 60
    assert (said["keep_faces"], said["faces"]) == (False, 0)
    with Image.open(here / "out.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (96, 72))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("stylize", "missing.jpg", "--style", "swirls"), "no file"),
        (("stylize", "words.txt", "--style", "swirls"), "not a picture"),
        (("stylize", "photo.jpg", "--style", "nothing-like-it"), "neither a picture file nor"),
        (("stylize", "photo.jpg", "--style", "swirls", "--strength", "101"), "strength"),
        (("stylize", "photo.jpg", "--style", "swirls", "--size", "7"), "size_px"),
        (("stylize", "photo.jpg", "--style", "swirls", "--steps", "0"), "steps"),
        (("stylize", "photo.jpg", "--style", "swirls", "--quality", "best"), "--quality"),
        (("stylize", "photo.jpg", "--style", "swirls", "--faces", "no"), "--faces"),
        (("stylize", "photo.jpg"), "--style"),
        (("stylize", "empty", "--style", "swirls"), "no pictures in the folder empty"),
        (("stylize", "photo.jpg", "photo.jpg", "empty", "--style", "swirls"), "no pictures"),
        (("stylize", "loop.jpg", "--style", "swirls"), "loop.jpg: "),
        (("stylize", "x" * 300, "--style", "swirls"), "xxx: "),
        (("stylize", "photo.jpg", "--style", "swirls", "-o", "loop.jpg"), "can't be written"),
        (("stylize", "photo.jpg", "--style", "swirl"), "did you mean swirls?"),
        (("stylize", "photo.jpg", "--style", "words.txt"), "the style words.txt: This is not a"),
        (("stylize", "photo.jpg", *(6 * ("--style", "swirls"))), "at most 5 styles"),
        (("stylize", "photo.jpg", "--style", "swirls", "-o", "file/x.jpg"), "file"),
        (("stylize", "photo.jpg", "--style", "swirls", "-o", f"{'x' * 300}.jpg"), "too long"),
        (("styles", "--gallery", "missing.jpg"), "missing.jpg: There is no file"),
        (("styles", "--gallery", "photo.jpg", "--json"), "not allowed with"),
        (("styles", "--gallery", "photo.jpg", "-o", "photo.jpg"), "--force"),
        (("styles", "--gallery", "photo.jpg", "-o", "sheet.bmp"), ".avif"),
        (("bench", "--sizes", "7"), "size_px"),
        (("bench", "--json", "nowhere/x.json"), "no folder"),
        (("bench", "--sheets", "file/sheets"), "can't be made"),
        (("stylize", "photo.jpg", "--style", "swirls", "-o", "nowhere/x.jpg"), "no folder"),
        (("styles", "--gallery", "photo.jpg", "-o", "nowhere/x.jpg"), "no folder"),
        (("nonsense",), "invalid choice"),
    ],
)
def test_bad_input_is_one_line_and_a_two(
    args: tuple[str, ...], words: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "words.txt").write_text("words")
    (here / "file").touch()
    (here / "loop.jpg").symlink_to("loop.jpg")
    (here / "empty").mkdir()
    assert exit_code(*args) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("run.py: ")]
    assert len(lines) == 1
    assert words in lines[0]


def test_settings_that_can_not_be_read_are_one_line_and_a_two(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADMIN_IDS", "abc")
    assert exit_code("styles") == 2
    assert capsys.readouterr().err.startswith("run.py: ADMIN_IDS: ")
    monkeypatch.delenv("ADMIN_IDS")
    (here / ".env").write_bytes("BOT_TOKEN=\n# ключ".encode("cp1251"))
    assert exit_code("styles") == 2
    assert capsys.readouterr().err == "run.py: the settings in .env are not UTF-8 text\n"


def test_a_folder_that_can_not_be_is_found_out_before_the_painting(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "file").touch()
    monkeypatch.setenv("DATA_DIR", str(here / "file" / "data"))
    assert exit_code("demo") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "can't be made" in line


def test_styles_are_listed_for_scripts(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("styles", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert len(listed) == 9
    assert listed[0]["slug"] == "swirls"
    assert listed[0]["names"]["ru"] == "Звёздные вихри"
    assert Path(listed[0]["picture"]).is_file()


def test_styles_are_listed_in_a_language_or_in_english(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for language, word in (("en", "Mosaic"), ("ru", "Мозаика"), ("xx", "Mosaic")):
        assert exit_code("styles", "--language", language) == 0
        listed = capsys.readouterr().out
        assert len(listed.splitlines()) == 9
        assert word in listed


def test_doctor_finds_no_fault_and_keeps_the_token_to_itself(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BOT_TOKEN", TOKEN)
    monkeypatch.setenv("TELEGRAM_API_URL", NOBODY)
    code = exit_code("doctor")
    said = capsys.readouterr()
    assert code == 0, said.out
    assert "a bot token is set, but Telegram can't be reached" in said.out
    assert "the slim encoder is there" in said.out
    assert "the face detector is there" in said.out
    assert TOKEN not in said.out + said.err


@pytest.mark.parametrize(
    ("is_known", "code", "words"),
    [(True, 0, "the bot token is that of @"), (False, 1, "Telegram doesn't know the bot token")],
)
async def test_doctor_asks_telegram_whose_token_it_is(
    is_known: bool,
    code: int,
    words: str,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with FaultySandbox(port=0) as sandbox:
        monkeypatch.setenv("BOT_TOKEN", sandbox.token if is_known else TOKEN)
        monkeypatch.setenv("TELEGRAM_API_URL", sandbox.api_url)
        assert await asyncio.to_thread(exit_code, "doctor") == code
    said = capsys.readouterr()
    assert words in said.out
    assert TOKEN not in said.out + said.err
    assert sandbox.token not in said.out + said.err


def test_doctor_says_which_packages_are_others_than_those_that_were_tried(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def installed(package: str) -> str:
        if package == "aiofiles":
            raise PackageNotFoundError
        return "0.1" if package == "aiogram" else f"{version(package)}+cpu"

    monkeypatch.setattr("app.commands.doctor.version", installed)
    assert exit_code("doctor") == 1
    said = capsys.readouterr().out
    assert "BAD  aiofiles is not installed" in said
    assert "note  aiogram 0.1\n" in said
    assert f"ok  tqdm {version('tqdm')}+cpu\n" in said


def test_doctor_says_what_to_do_about_a_folder(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "file").touch()
    monkeypatch.setenv("DATA_DIR", str(here / "file" / "data"))
    assert exit_code("doctor") == 1
    assert "DATA_DIR" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "value"), [("BOT_TOKEN", "not-a-token"), ("DEFAULT_SIZE_PX", "many")]
)
def test_a_bad_setting_is_named_without_its_value(
    name: str,
    value: str,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)
    assert exit_code("doctor") == 2
    said = capsys.readouterr().err
    assert name in said
    assert value not in said


def test_healthcheck_looks_at_the_heartbeat(here: Path) -> None:
    assert exit_code("healthcheck") == 1
    beat = here / "data" / "heartbeat"
    beat.parent.mkdir()
    beat.touch()
    assert exit_code("healthcheck") == 0
    assert not is_alive(beat, stale_after_s=-1.0)
