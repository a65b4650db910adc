"""Every sentence in every language."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from app.bot.dispatcher import menu
from app.bot.ui.durations import in_words
from app.bot.ui.i18n import (
    LOCALES,
    SOURCE_LANGUAGE,
    language_for,
    language_name,
    languages,
    load_i18n,
)
from styles.catalog import default_catalog

APP = Path(__file__).parents[4] / "app"
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}

MessageId = str | tuple[str, ...]


@pytest.fixture(scope="module")
def spoken() -> set[MessageId]:
    """All sentences in the code."""
    found = extract_from_dir(APP, keywords=KEYWORDS)
    return {message for _, _, message, _, _ in found}


TRANSLATIONS = [language for language in languages() if language != SOURCE_LANGUAGE]


@pytest.fixture(scope="module", params=TRANSLATIONS)
def translation(request: pytest.FixtureRequest) -> Catalog:
    with (LOCALES / f"{request.param}.po").open("rb") as file:
        return read_po(file, locale=request.param, abort_invalid=True)


def identity(message_id: object) -> MessageId:
    return tuple(message_id) if isinstance(message_id, list | tuple) else str(message_id)


def test_nothing_lacks_a_translation_and_no_translation_is_left_over(
    spoken: set[MessageId], translation: Catalog
) -> None:
    translated = {identity(message.id) for message in translation if message.id}
    assert spoken - translated == set()
    assert translated - spoken == set()


def test_every_form_is_there_and_names_the_same_values(translation: Catalog) -> None:
    for message in translation:
        if not message.id:
            continue
        ids, texts = identity(message.id), message.string
        forms = (texts,) if isinstance(texts, str) else tuple(texts or ())
        assert len(forms) == (1 if isinstance(ids, str) else translation.num_plurals), ids
        assert all(forms), f"{ids} has an empty form"
        assert not message.fuzzy, ids
        names = placeholders(ids if isinstance(ids, str) else ids[-1])
        for form in forms:
            # "one" may do without the number itself.
            assert placeholders(form) | {"count"} == names | {"count"}, ids


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize(
    ("seconds", "russian", "english"),
    [
        (0, "1 секунда", "1 second"),
        (7.4, "7 секунд", "7 seconds"),
        (43, "45 секунд", "45 seconds"),
        (60, "60 секунд", "60 seconds"),
        (120, "2 минуты", "2 minutes"),
        (300, "5 минут", "5 minutes"),
        (21 * 60, "21 минута", "21 minutes"),
        (2 * 3600, "2 часа", "2 hours"),
        (3 * 86_400, "3 дня", "3 days"),
    ],
)
def test_durations_in_words(seconds: float, russian: str, english: str) -> None:
    i18n = load_i18n()
    for language, expected in (("ru", russian), ("en", english)):
        with i18n.context(), i18n.use_locale(language):
            assert in_words(seconds) == expected


@pytest.mark.parametrize(
    ("code", "language"),
    [("ru", "ru"), ("uk", "ru"), ("be-BY", "ru"), ("en", "en"), ("pt-br", "en"), (None, "en")],
)
def test_language_codes(code: str | None, language: str) -> None:
    assert language_for(code) == language


@pytest.mark.parametrize("language", languages())
def test_the_presets_speak_the_same_languages(language: str) -> None:
    for preset in default_catalog().presets():
        assert language in preset.names
        assert language in preset.descriptions


def test_a_language_is_called_as_its_speakers_call_it() -> None:
    assert language_name("ru") == "Русский"
    assert language_name("pt_BR") == "Português (Brasil)"


def test_the_command_menu_keeps_to_telegrams_bounds() -> None:
    i18n = load_i18n()
    for language in languages():
        with i18n.context(), i18n.use_locale(language):
            commands = menu()
        assert len(commands) <= 100
        for command in commands:
            assert 1 <= len(command.command) <= 32
            assert 3 <= len(command.description) <= 256
