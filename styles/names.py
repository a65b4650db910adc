"""Names of styles: what one may be called, and the plain-ASCII slug that stands for it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

MAX_NAME_LENGTH = 40
MAX_SLUG_LENGTH = 32
"""Short enough for a button's callback data, which holds 64 bytes."""

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

_FILLERS = "\u115f\u1160\u2800\u3164\uffa0\ufffc\U0001d159"
"""Letters and symbols, by their category, that are as blank as a space: the Hangul fillers, the
Braille pattern without a dot, the place of a missing object, a note without a head."""
_EMPTY_MARKS = "\u034f\u17b4\u17b5\U00016fe4"
"""Combining marks that show nothing and change nothing that is seen."""
_SELECTORS = re.compile("[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Variation selectors: nothing by themselves, another form of the character before them."""

_LATIN = "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch - y - e yu ya"
_RUSSIAN = {
    ord(letter): latin.strip("-")
    for letter, latin in zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", _LATIN.split(), strict=True)
}


def tidy_name(text: str) -> str:
    """`text` on one line, without control or invisible characters (right-to-left tricks too).

    Raises ValueError if nothing is left, or more than `MAX_NAME_LENGTH` characters.
    """
    name = unicodedata.normalize("NFC", " ".join(_visible(text).split()))
    if not name:
        raise ValueError("a name needs at least one visible character")
    if len(name) > MAX_NAME_LENGTH:
        raise ValueError(f"a name has at most {MAX_NAME_LENGTH} characters, not {len(name)}")
    return name


def _visible(text: str) -> str:
    """`text` with a space for everything blank; selectors only behind what they change.

    Together with the categories C and Z that is all of Unicode's Default_Ignorable_Code_Point,
    and what else is drawn as nothing.
    """
    visible = ""
    for character in text:
        if unicodedata.category(character)[0] in "CZ" or character in _FILLERS:
            visible += " "
        elif _SELECTORS.match(character):
            if visible and not visible[-1].isspace() and not _SELECTORS.match(visible[-1]):
                visible += character
        elif character not in _EMPTY_MARKS:
            visible += character
    return visible


def name_key(name: str) -> str:
    """What two names have in common when a person would call them the same."""
    plain = _SELECTORS.sub("", unicodedata.normalize("NFKC", name))
    return " ".join(plain.casefold().replace("ё", "е").split())


def is_slug(text: str) -> bool:
    """Whether `text` is safe as a file name, in a button and on a command line."""
    return len(text) <= MAX_SLUG_LENGTH and SLUG.fullmatch(text) is not None


def make_slug(name: str, *, taken: Container[str] = ()) -> str:
    """A slug that reads like `name`, Russian letters transliterated, and isn't `taken`."""
    latin = unicodedata.normalize("NFKD", name.casefold().translate(_RUSSIAN))
    words = re.findall(r"[a-z0-9]+", latin.encode("ascii", "ignore").decode())
    stem = "-".join(words)[:MAX_SLUG_LENGTH].strip("-") or "style"
    slug, number = stem, 2
    while slug in taken:
        ending = f"-{number}"
        slug = stem[: MAX_SLUG_LENGTH - len(ending)].rstrip("-") + ending
        number += 1
    return slug
