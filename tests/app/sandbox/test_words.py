"""The chat page's own words: each of them in every language that the bot speaks."""

from __future__ import annotations

import json
import re

import pytest

from app.bot.ui.i18n import languages
from app.sandbox.page import STATIC

Words = dict[str, str | list[str]]

TELEGRAMS_CODES = [language.replace("_", "-").lower() for language in languages()]


def words() -> dict[str, Words]:
    """The object of words.js."""
    script = (STATIC / "words.js").read_text(encoding="utf-8")
    literal = script.partition("WORDS = ")[2].partition(";\n\nexport")[0]
    quoted = re.sub(r"^(\s*)(\w+):", r'\1"\2":', literal, flags=re.MULTILINE)
    found: dict[str, Words] = json.loads(re.sub(r",(\s*})", r"\1", quoted))
    return found


@pytest.mark.parametrize("code", TELEGRAMS_CODES)
def test_every_word_is_there(code: str) -> None:
    spoken = words()[code]

    assert spoken.keys() == words()["en"].keys()
    assert all(spoken.values())
    assert len(spoken["bytes"]) == 3


def test_every_language_can_be_chosen_on_the_page() -> None:
    page = (STATIC / "index.html").read_text(encoding="utf-8")

    assert sorted(re.findall(r'<option value="([\w-]+)"', page)) == sorted(TELEGRAMS_CODES)


def test_everything_named_on_the_page_has_a_word() -> None:
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    named = re.findall(r'data-(?:name|label)="(\w+)"', page)

    assert len(named) == page.count("aria-label") + page.count("data-label")
    assert set(named) <= words()["en"].keys()
