"""Numbers as the current language writes them: `1.4` or `1,4`, `70%` or `70 %`."""

from __future__ import annotations

from aiogram.utils.i18n import get_i18n
from babel.numbers import format_decimal, format_percent


def number(value: float, *, decimals: int = 1) -> str:
    """At most so many decimals, and none that are zero."""
    rounded = round(value, decimals)
    return format_decimal(rounded, locale=get_i18n().current_locale)


def percent(value: int) -> str:
    """Of a hundred."""
    return format_percent(value / 100, locale=get_i18n().current_locale)
