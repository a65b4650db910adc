"""A Bot API server of one's own, over HTTP and by its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.bot.application_harness import open_harness
from tests.e2e.actor import Actor
from tests.e2e.pictures import photo

TOO_LARGE_FOR_TELEGRAM = 21 * 1024 * 1024


def large_file() -> bytes:
    """A sound JPEG with a long tail, as some editors write them."""
    jpeg = photo(1)
    return jpeg + bytes(TOO_LARGE_FOR_TELEGRAM - len(jpeg))


async def asked_for_a_second(actor: Actor) -> None:
    await actor.sees("second one")


async def test_over_http_files_are_as_small_as_telegrams(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as harness, harness.running():
        ben = harness.new_person()
        await ben.sends_files(large_file(), name="photo.jpg")
        await ben.sees("at most 20 MB")
        await ben.sends_photo(photo(1))
        await asked_for_a_second(ben)


@pytest.mark.parametrize("is_elsewhere", [False, True])
async def test_files_are_read_from_the_servers_folder(tmp_path: Path, is_elsewhere: bool) -> None:
    here, there = tmp_path / "server", Path("/var/lib/telegram-bot-api")
    settings: dict[str, object] = {"telegram_api_is_local": True}
    if is_elsewhere:
        settings["telegram_api_files_dir"] = here
    async with open_harness(tmp_path / "data", **settings) as harness:
        world = harness.sandbox.world
        world.local_folder = here
        world.name_of_local_folder = there if is_elsewhere else here
        async with harness.running():
            ben = harness.new_person()
            await ben.sends_files(large_file(), name="photo.jpg")
            await asked_for_a_second(ben)


async def test_a_folder_that_can_not_be_read_is_the_owners_affair(tmp_path: Path) -> None:
    settings = {"telegram_api_is_local": True, "telegram_api_files_dir": tmp_path / "nowhere"}
    async with open_harness(tmp_path / "data", **settings) as harness:
        harness.sandbox.world.local_folder = tmp_path / "server"
        harness.sandbox.world.name_of_local_folder = Path("/var/lib/telegram-bot-api")
        async with harness.running():
            ben = harness.new_person()
            await ben.sends_photo(photo(1))
            await ben.sees("did not come through")
