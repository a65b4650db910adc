"""What a style may be called, and what its slug looks like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from styles.names import MAX_NAME_LENGTH, is_slug, make_slug, name_key, tidy_name


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Щука и ёж", "shchuka-i-ezh"),
        ("Объятья", "obyatya"),
        ("Café Crème", "cafe-creme"),
        ("../../etc/passwd", "etc-passwd"),
        ("日本", "style"),
        ("x" * 50, "x" * 32),
    ],
)
def test_a_slug_reads_like_the_name(name: str, slug: str) -> None:
    assert make_slug(name) == slug


def test_a_taken_slug_gets_a_number() -> None:
    assert make_slug("Море", taken={"more"}) == "more-2"
    assert make_slug("Море", taken={"more", "more-2"}) == "more-3"
    assert make_slug("m" * 40, taken={"m" * 32}) == "m" * 30 + "-2"


@given(st.text(), st.sets(st.sampled_from(["style", "style-2", "a"])))
def test_any_text_gives_a_safe_free_slug(text: str, taken: set[str]) -> None:
    slug = make_slug(text, taken=taken)

    assert is_slug(slug)
    assert slug not in taken


@pytest.mark.parametrize("text", ["", "a/b", "..", "A", "a--b", "-a", "a_b", "я", "a" * 33, "a\n"])
def test_what_is_no_slug(text: str) -> None:
    assert not is_slug(text)


def test_a_name_is_tidied() -> None:
    assert tidy_name("  Два \n\t слова ") == "Два слова"
    assert tidy_name("evil\u202egnp.exe") == "evil gnp.exe"


@pytest.mark.parametrize("text", ["", " \n ", "\u200b\u202e", "x" * (MAX_NAME_LENGTH + 1)])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ValueError, match="a name"):
        tidy_name(text)


def test_names_that_a_person_would_call_the_same() -> None:
    assert name_key("Звёздные  ВИХРИ") == name_key("звездные вихри")
    assert name_key("вихрь") != name_key("вихри")
