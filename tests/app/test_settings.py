"""Settings from the environment, and what is said about wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import Settings
from models.interface import Quality

ROOT = Path(__file__).parents[2]
TOKEN = "4200000001:AAH-abcdefghijklmnopqrstuvwxyz_12345"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_nothing_set_is_the_sandbox_with_usual_values() -> None:
    settings = Settings()
    assert settings.bot_token is None
    assert settings.default_quality is Quality.STANDARD
    assert settings.lets_in(1)


def test_environment_and_env_file_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text(f"BOT_TOKEN={TOKEN}\nADMIN_IDS=1, 2\nUNKNOWN=x\n", encoding="utf-8")
    monkeypatch.setenv("ALLOWED_USER_IDS", "3 4")
    monkeypatch.setenv("DEFAULT_QUALITY", "draft")
    settings = Settings()
    assert settings.bot_token is not None
    assert settings.bot_token.get_secret_value() == TOKEN
    assert settings.admin_ids == {1, 2}
    assert settings.default_quality is Quality.DRAFT
    assert [settings.lets_in(user_id) for user_id in (1, 3, 5)] == [True, True, False]


def test_members_of_an_invited_group_come_in_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_CHAT_IDS", "-1001, -1002")
    settings = Settings()
    assert settings.lets_in(5, -1001)
    assert not settings.lets_in(5, -1003)
    assert not settings.lets_in(5, 5)


def test_devices_are_named_with_commas_or_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVICE", "cuda:0, cuda:2")
    assert Settings().device == "cuda:0,cuda:2"


@pytest.mark.parametrize("address", ["auto", "10.0.0.1:6379", "gpu-box:1", "[fd00::1]:6379"])
def test_a_ray_cluster_has_an_address(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    assert Settings().ray_address == address


@pytest.mark.parametrize(
    "address", ["10.0.0.1", ":6379", "box:port", "a box:1", "ray://box:1", "b:0"]
)
def test_a_ray_cluster_is_auto_or_has_a_port(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(ValidationError, match="must "):
        Settings()


def test_an_empty_token_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_TOKEN", "")
    assert Settings().bot_token is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BOT_TOKEN", "secret-that-is-no-token"),
        ("ADMIN_IDS", "1,two"),
        ("TELEGRAM_API_URL", "ftp://example.org"),
        ("TELEGRAM_API_URL", "http://"),
        ("TELEGRAM_API_URL", "http://:8081"),
        ("TELEGRAM_API_URL", "http://host:port"),
        ("TELEGRAM_API_URL", "http://host:0"),
        ("TELEGRAM_API_URL", "http://host:99999"),
        ("TELEGRAM_API_URL", "http://two words"),
        ("TELEGRAM_API_URL", "http://[::1"),
        ("TELEGRAM_API_URL", "http://host/?"),
        ("TELEGRAM_API_URL", "http://host/#bot"),
        ("TELEGRAM_API_URL", "http://example.org/{x}"),
        ("DEFAULT_SIZE_PX", "100000"),
        ("QUEUE_MAX_JOBS", "0"),
        ("DEVICE", "graphics"),
        ("DEVICE", "cpu,cpu"),
        ("DEVICE", "cuda:0,cuda:0"),
        ("CPU_WORKERS", "-1"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_wrong_value_is_named_but_not_shown(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    (problem,) = {str(error["loc"][0]) for error in caught.value.errors()}
    assert problem == name.lower()
    assert value not in str(caught.value)


@pytest.mark.parametrize("name", ["ALLOWED_USER_IDS", "ADMIN_IDS"])
def test_a_list_of_nobody_is_no_open_door(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, " , ")
    with pytest.raises(ValidationError, match="at least one Telegram id"):
        Settings()


def test_a_token_is_not_shown_with_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_TOKEN", TOKEN)
    assert TOKEN not in repr(Settings())


def test_the_example_shows_every_setting_with_its_default() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    shown = dict(line.lstrip("#").split("=", 1) for line in lines if "=" in line)
    defaults = Settings().model_dump()
    assert {name.lower() for name in shown} == set(defaults)
    for name, default in defaults.items():
        assert shown[name.upper()] == as_text(default), name


def as_text(value: object) -> str:
    if value is None or value == frozenset():
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
