"""Every sentence in both languages."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from app.bot.dispatcher import menu
from app.bot.ui.i18n import LANGUAGES, LOCALES, language_for, load_i18n
from styles.preset import LANGUAGES as PRESET_LANGUAGES

APP = Path(__file__).parents[4] / "app"
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}

MessageId = str | tuple[str, ...]


@pytest.fixture(scope="module")
def spoken() -> set[MessageId]:
    """All sentences in the code."""
    found = extract_from_dir(APP, keywords=KEYWORDS)
    return {message for _, _, message, _, _ in found}


@pytest.fixture(scope="module")
def russian() -> Catalog:
    with (LOCALES / "ru" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale="ru", abort_invalid=True)


def identity(message_id: object) -> MessageId:
    return tuple(message_id) if isinstance(message_id, list | tuple) else str(message_id)


def test_nothing_lacks_a_translation_and_no_translation_is_left_over(
    spoken: set[MessageId], russian: Catalog
) -> None:
    translated = {identity(message.id) for message in russian if message.id}
    assert spoken - translated == set()
    assert translated - spoken == set()


def test_every_form_is_there_and_names_the_same_values(russian: Catalog) -> None:
    for message in russian:
        if not message.id:
            continue
        ids, texts = identity(message.id), message.string
        forms = (texts,) if isinstance(texts, str) else tuple(texts or ())
        assert len(forms) == (1 if isinstance(ids, str) else 3), ids
        assert all(forms), f"{ids} has an empty form"
        assert not message.fuzzy, ids
        names = placeholders(ids if isinstance(ids, str) else ids[-1])
        for form in forms:
            # "one" may do without the number itself.
            assert placeholders(form) | {"count"} == names | {"count"}, ids


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, "1 минута"), (2, "2 минуты"), (5, "5 минут"), (11, "11 минут"), (21, "21 минута")],
)
def test_russian_plurals(count: int, expected: str) -> None:
    text = load_i18n().gettext("{count} minute", "{count} minutes", count, locale="ru")
    assert text.format(count=count) == expected


@pytest.mark.parametrize(
    ("code", "language"),
    [("ru", "ru"), ("uk", "ru"), ("be-BY", "ru"), ("en", "en"), ("pt-br", "en"), (None, "en")],
)
def test_language_codes(code: str | None, language: str) -> None:
    assert language_for(code) == language


def test_the_presets_speak_the_same_languages() -> None:
    assert set(PRESET_LANGUAGES) == set(LANGUAGES)


def test_the_command_menu_keeps_to_telegrams_bounds() -> None:
    i18n = load_i18n()
    for language in LANGUAGES:
        with i18n.context(), i18n.use_locale(language):
            commands = menu()
        assert len(commands) <= 100
        for command in commands:
            assert 1 <= len(command.command) <= 32
            assert 3 <= len(command.description) <= 256
