"""/privacy says what the settings say."""

from __future__ import annotations

from pathlib import Path

from tests.app.bot.application_harness import open_harness


async def test_privacy_says_how_long_pictures_are_kept(tmp_path: Path) -> None:
    async with open_harness(tmp_path, keep_pictures_hours=7.0) as harness, harness.running():
        ben, anna = harness.new_person(), harness.new_person("Анна", "ru")
        await ben.sends("/privacy")
        said = (await ben.sees("What I keep of you")).text
        for fact in ("for 7 hours", "for 30 days", "/forget"):
            assert fact in said
        await anna.sends("/privacy")
        said = (await anna.sees("Что я о вас храню")).text
        assert "7 часов" in said
        assert "30 дней" in said
