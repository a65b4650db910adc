"""Strangers' words can't leave their place."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.bot.transport.picture_downloads import DownloadProblem
from app.bot.ui.i18n import load_i18n
from app.bot.ui.texts import MAX_NAME, download_problem, picture_problem, safe_name, welcome
from models.pictures.problems import PictureProblem

ISOLATES = "\u2068\u2069"


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=300))
def test_no_name_changes_the_text_around_it(name: str) -> None:
    shown = safe_name(name)
    assert shown.startswith(ISOLATES[0])
    assert shown.endswith(ISOLATES[1])
    inner = shown[1:-1]
    assert not set(inner) & {"<", ">", "\n", *ISOLATES}
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in inner)
    assert len(inner) <= MAX_NAME * len("&amp;")


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        ("Анна", "Анна"),
        ("<b>x</b> & co", "&lt;b&gt;x&lt;/b&gt; &amp; co"),
        ("\u202egnp.exe", "gnp.exe"),
        ("{0.__class__} %s", "{0.__class__} %s"),
        ("x" * 4096, "x" * (MAX_NAME - 1) + "…"),
    ],
)
def test_tricks(name: str, inner: str) -> None:
    assert safe_name(name) == ISOLATES[0] + inner + ISOLATES[1]


def test_a_name_with_a_format_string_is_only_a_name() -> None:
    i18n = load_i18n()
    with i18n.context(), i18n.use_locale("ru"):
        assert "{name.__class__}" in welcome("{name.__class__}")


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_problem_has_one_sentence_of_its_own(language: str) -> None:
    i18n = load_i18n()
    with i18n.context(), i18n.use_locale(language):
        sentences = [picture_problem(problem) for problem in PictureProblem]
        sentences += [download_problem(problem) for problem in DownloadProblem]
    assert len(set(sentences)) == len(sentences)
    assert all(10 < len(sentence) < 200 and "{" not in sentence for sentence in sentences)
