"""The languages of the bot: gettext catalogues, read from their `.po` sources at start.

Each `locales/CODE.po` is a language, whatever the code is called in Babel (`pt_BR`, `zh_Hans`).
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from aiogram.utils.i18n import I18n
from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES: Final = Path(__file__).parent / "locales"
SOURCE_LANGUAGE: Final = "en"
"""The msgids themselves."""
_READ_RUSSIAN = frozenset({"uk", "be", "kk", "ky", "uz", "tg", "tk", "hy", "az", "tt", "ba"})
"""Languages whose speakers are more likely to read Russian than English."""


def load_i18n() -> I18n:
    """Read the catalogues; blocking, some ten milliseconds."""
    return Catalogues(path=LOCALES, default_locale=SOURCE_LANGUAGE)


@cache
def languages() -> tuple[str, ...]:
    """All that the bot speaks; blocking, but only the first time."""
    return (SOURCE_LANGUAGE, *sorted(file.stem for file in LOCALES.glob("*.po")))


def language_for(code: str | None) -> str:
    """The bot's language for a Telegram `language_code` such as `pt-br`, or none.

    That very one, or else one of the same two letters: `pt` and `pt-pt` are answered in `pt_BR`.
    """
    wanted = (code or "").replace("-", "_").lower()
    exact = [each for each in languages() if each.lower() == wanted]
    similar = [each for each in languages() if bare_code(each) == bare_code(wanted)]
    if found := exact or similar:
        return found[0]
    return "ru" if bare_code(wanted) in _READ_RUSSIAN else SOURCE_LANGUAGE


def bare_code(language: str) -> str:
    """Its two letters (ISO 639-1), which is all that Telegram's menus know."""
    return language.partition("_")[0]


def language_name(language: str) -> str:
    """What its speakers call it."""
    name = Locale.parse(language).get_display_name() or language
    return name[0].upper() + name[1:]


class Catalogues(I18n):
    """aiogram's i18n without a compile step: one that was forgotten can't serve old sentences."""

    @contextmanager
    def context(self) -> Iterator[I18n]:
        """As in the parent; but there each class has a current object of its own, and aiogram's
        `gettext` asks `I18n` for it."""
        token = I18n.set_current(self)
        try:
            yield self
        finally:
            I18n.reset_current(token)

    def find_locales(self) -> dict[str, gettext.GNUTranslations]:
        return {path.stem: _read(path) for path in sorted(self.path.glob("*.po"))}


def _read(path: Path) -> gettext.GNUTranslations:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
