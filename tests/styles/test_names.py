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


# What is drawn as nothing, one of each kind: fillers, blanks, marks and selectors without a base.
BLANKS = [
    "\u3164", "\uffa0", "\u115f", "\u1160", "\u2800", "\ufffc", "\U0001d159", "\u00a0", "\u3000",
    "\u00ad", "\u2060", "\ufeff", "\u034f", "\u17b4", "\U00016fe4", "\ufe0f", "\u180b",
    "\U000e0101",
]  # fmt: skip


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_what_nobody_can_see_is_no_name(blank: str) -> None:
    with pytest.raises(ValueError, match="visible"):
        tidy_name(blank * 3)
    with pytest.raises(ValueError, match="visible"):
        tidy_name(f" {blank} \u200b{blank}")


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_what_nobody_can_see_makes_no_other_name(blank: str) -> None:
    assert name_key(tidy_name(f"{blank}Море{blank}")) == name_key("Море")


def test_an_emoji_keeps_its_form() -> None:
    assert tidy_name("\u2764\ufe0f\ufe0f Love") == "\u2764\ufe0f Love"
    assert name_key("\u2764\ufe0f") == name_key("\u2764")
    assert tidy_name("e\u0301") == "é"


def test_names_that_a_person_would_call_the_same() -> None:
    assert name_key("Звёздные  ВИХРИ") == name_key("звездные вихри")
    assert name_key("вихрь") != name_key("вихри")
