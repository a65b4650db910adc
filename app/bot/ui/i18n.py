"""The languages of the bot: gettext catalogues, read from their `.po` sources at start."""

from __future__ import annotations

import gettext
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from aiogram.utils.i18n import I18n
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES: Final = Path(__file__).parent / "locales"
SOURCE_LANGUAGE: Final = "en"
"""The msgids themselves."""
LANGUAGES: Final = ("ru", "en")
_READ_RUSSIAN = frozenset({"ru", "uk", "be", "kk", "ky", "uz", "tg", "tk", "hy", "az", "tt", "ba"})
"""Languages whose speakers are more likely to read Russian than English."""


def load_i18n() -> I18n:
    """Read the catalogues; blocking, some ten milliseconds."""
    return Catalogues(path=LOCALES, default_locale=SOURCE_LANGUAGE)


def language_for(code: str | None) -> str:
    """The bot's language for a Telegram `language_code` such as `pt-br`, or none."""
    bare = (code or "").lower().partition("-")[0]
    return "ru" if bare in _READ_RUSSIAN else SOURCE_LANGUAGE


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
        return {
            path.parents[1].name: _read(path)
            for path in sorted(self.path.glob(f"*/LC_MESSAGES/{self.domain}.po"))
        }


def _read(path: Path) -> gettext.GNUTranslations:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.parents[1].name)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
