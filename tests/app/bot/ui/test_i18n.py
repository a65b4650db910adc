"""Every sentence in every language."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from app.bot.dispatcher import menu
from app.bot.ui.durations import in_days, in_words
from app.bot.ui.i18n import (
    LOCALES,
    SOURCE_LANGUAGE,
    language_for,
    language_name,
    languages,
    load_i18n,
)
from app.bot.ui.numbers import number, percent
from app.bot.ui.texts import queue_is_full
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
    [
        ("ru", "ru"),
        ("uk", "ru"),
        ("be-BY", "ru"),
        ("en", "en"),
        ("en-GB", "en"),
        ("es", "es"),
        ("es-MX", "es"),
        ("pt-br", "pt_BR"),
        ("pt", "pt_BR"),
        ("de-AT", "de"),
        ("zh-hans", "zh_Hans"),
        ("zh-hant", "zh_Hans"),
        ("zh", "zh_Hans"),
        ("ca", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_language_codes(code: str | None, language: str) -> None:
    assert language_for(code) == language


def test_the_very_language_goes_before_one_like_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.bot.ui.i18n.languages", lambda: ("en", "uk", "zh_Hans", "zh_Hant"))
    codes = ["zh-hant", "zh-Hans", "zh", "uk", "be"]
    assert [language_for(code) for code in codes] == ["zh_Hant", "zh_Hans", "zh_Hans", "uk", "ru"]


@pytest.mark.parametrize(
    ("language", "count", "expected"),
    [
        ("ru", 1, "через 1 минуту"),
        ("ru", 3, "через 3 минуты"),
        ("ru", 11, "через 11 минут"),
        ("ru", 21, "через 21 минуту"),
        ("es", 1, "en 1 minuto,"),
        ("es", 2, "en unos 2 minutos"),
        ("pt_BR", 1, "cerca de 1 minuto,"),
        ("pt_BR", 2, "cerca de 2 minutos"),
        ("de", 1, "etwa 1 Minute "),
        ("de", 2, "etwa 2 Minuten"),
        ("zh_Hans", 1, "约 1 分钟"),
        ("zh_Hans", 2, "约 2 分钟"),
    ],
)
def test_plurals(language: str, count: int, expected: str) -> None:
    i18n = load_i18n()
    with i18n.context(), i18n.use_locale(language):
        assert expected in queue_is_full(count)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["70%", "1.4", "2", "0.3"]),
        ("ru", ["70\xa0%", "1,4", "2", "0,3"]),
        ("de", ["70\xa0%", "1,4", "2", "0,3"]),
        ("es", ["70\xa0%", "1,4", "2", "0,3"]),
        ("pt_BR", ["70%", "1,4", "2", "0,3"]),
        ("zh_Hans", ["70%", "1.4", "2", "0.3"]),
    ],
)
def test_numbers_are_written_as_the_language_does(language: str, expected: list[str]) -> None:
    i18n = load_i18n()
    with i18n.context(), i18n.use_locale(language):
        assert [percent(70), number(1.4), number(2.0), number(0.3)] == expected


@pytest.mark.parametrize("language", languages())
def test_the_presets_speak_the_same_languages(language: str) -> None:
    for preset in default_catalog().presets():
        assert language in preset.names
        assert language in preset.descriptions


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("es", ["45 segundos", "2 minutos", "2 horas"]),
        ("pt_BR", ["45 segundos", "2 minutos", "2 horas"]),
        ("de", ["45 Sekunden", "2 Minuten", "2 Stunden"]),
        ("zh_Hans", ["45秒钟", "2分钟", "2小时"]),
    ],
)
def test_durations_in_the_other_languages(language: str, expected: list[str]) -> None:
    i18n = load_i18n()
    with i18n.context(), i18n.use_locale(language):
        assert [in_words(seconds) for seconds in (43, 120, 7200)] == expected


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


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["1 day", "30 days", "400 days"]),
        ("ru", ["1 день", "30 дней", "400 дней"]),
        ("es", ["1 día", "30 días", "400 días"]),
        ("pt_BR", ["1 dia", "30 dias", "400 dias"]),
        ("de", ["1 Tag", "30 Tage", "400 Tage"]),
        ("zh_Hans", ["1天", "30天", "400天"]),
    ],
)
def test_days_are_never_weeks_or_months(language: str, expected: list[str]) -> None:
    i18n = load_i18n()
    with i18n.context(), i18n.use_locale(language):
        assert [in_days(86_400 * days) for days in (1, 30, 400)] == expected
