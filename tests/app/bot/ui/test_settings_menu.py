"""/settings, what it changes and that it lasts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.bot.preferences import FIELDS, MIGRATIONS, PreferencesRepository
from app.bot.ui.settings_menu import OPEN, Field, choices, parse_choice
from app.jobs.model import Delivery
from app.storage.database import Database
from models.interface import Quality, StyleOptions
from styles.catalog import default_catalog
from tests.app.bot.application_harness import ApplicationHarness, open_harness
from tests.e2e.actor import Actor

pytestmark = pytest.mark.asyncio(loop_scope="module")

USUAL = StyleOptions(quality=Quality.DRAFT, size_px=512)
PRESET = default_catalog().presets()[0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ApplicationHarness]:
    async with open_harness(tmp_path_factory.mktemp("data")) as harness, harness.running():
        yield harness


@pytest.fixture
def ben(harness: ApplicationHarness) -> Actor:
    return harness.new_person()


async def test_one_message_is_edited_in_place(harness: ApplicationHarness, ben: Actor) -> None:
    await ben.sends("/settings")
    menu = await ben.sees("Your settings")
    await ben.presses("Strength", on=menu)
    await ben.reads(menu, "Strength: as suits the style")
    await ben.presses("85%", on=menu)
    await ben.reads(menu, "^Strength: 85%$")
    await ben.presses("Result as", on=menu)
    await ben.presses("Back", on=menu)
    await ben.reads(menu, "Result as: as usual")
    assert ben.received == [menu]
    await ben.presses("Strength", on=menu)
    await ben.presses("as suits", on=menu)
    await ben.reads(menu, "^Strength: as suits the style$")


async def test_the_language_changes_at_once_and_for_good(
    harness: ApplicationHarness, ben: Actor
) -> None:
    await ben.sends("/settings")
    menu = await ben.sees("Your settings")
    await ben.presses("Language", on=menu)
    await ben.presses("Русский", on=menu)
    await ben.reads(menu, "Ваши настройки")
    await ben.sends("/queue")
    await ben.sees("в очереди нет")


async def test_settings_of_others_are_not_touched(harness: ApplicationHarness, ben: Actor) -> None:
    await ben.sends("/settings")
    menu = await ben.sees("Your settings")
    query = await harness.new_person("Eve").presses("Quality", on=menu)
    assert query.answer is not None
    assert "the one who asked" in query.answer["text"]


@pytest.mark.parametrize("data", ["strength:1000", "brush:nan", "nonsense:1", "quality:"])
async def test_forged_choices_are_refused(ben: Actor, data: str) -> None:
    await ben.sends("/settings")
    menu = await ben.sees("Your settings")
    query = ben.person.press(menu, f"set:{ben.id}:{data}")
    await ben.until(lambda: query.answer is not None, awaited="an answer")
    await ben.sends("/settings")
    assert "1000" not in (await ben.sees("Your settings")).text


async def test_every_field_has_choices_that_can_be_set() -> None:
    assert {field.value for field in Field} == set(FIELDS)
    for field in Field:
        assert [parse_choice(field, str(choice)) for choice in choices(field)] == list(
            choices(field)
        )
        assert parse_choice(field, OPEN) is None


async def test_settings_last_over_a_restart_and_win_over_the_preset(tmp_path: Path) -> None:
    file = tmp_path / "preferences.sqlite3"
    preferences = await PreferencesRepository.open(file, defaults=USUAL)
    chosen = {
        "strength": 25,
        "keep_colors": False,
        "keep_faces": False,
        "brush": 2.0,
        "size_px": 1024,
    }
    for field, value in chosen.items():
        await preferences.set(1, field, value)
    await preferences.set(1, "delivery", Delivery.FILE)
    await preferences.close()
    preferences = await PreferencesRepository.open(file, defaults=USUAL)
    assert await preferences.options(1, PRESET) == StyleOptions(quality=Quality.DRAFT, **chosen)  # type: ignore[arg-type]
    assert await preferences.delivery(1) is Delivery.FILE
    assert await preferences.delivery(2) is Delivery.PHOTO
    await preferences.close()


async def test_settings_of_the_version_before_are_read(tmp_path: Path) -> None:
    file = tmp_path / "preferences.sqlite3"
    before = await Database.open(file, MIGRATIONS[:1])
    await before.execute("INSERT INTO preferences (user_id, strength) VALUES (1, 40)", ())
    await before.close()
    preferences = await PreferencesRepository.open(file, defaults=USUAL)
    options = await preferences.options(1)
    assert (options.strength, options.keep_faces) == (40, True)
    await preferences.close()


async def test_what_is_left_open_is_as_the_preset_or_the_owner_says(tmp_path: Path) -> None:
    preferences = await PreferencesRepository.open(tmp_path / "p.sqlite3", defaults=USUAL)
    options = await preferences.options(1, PRESET)
    assert (options.strength, options.brush) == (PRESET.strength, PRESET.brush)
    assert (options.quality, options.size_px) == (USUAL.quality, USUAL.size_px)
    assert await preferences.options(1) == USUAL
    await preferences.set(1, "strength", 40)
    await preferences.forget(1)
    assert await preferences.options(1) == USUAL
    with pytest.raises(ValueError, match="nothing that can be set"):
        await preferences.set(1, "user_id = 2; --", 1)
    await preferences.close()
