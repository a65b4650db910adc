"""Durations in words, rounded as one would say them."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Final

from aiogram.utils.i18n import get_i18n
from babel.dates import format_timedelta

NEXT_UNIT_FROM: Final = 1.5
"""Of a minute, or an hour."""
FIVES: Final = range(10, 90)
"""Seconds that are said in fives."""


def in_words(seconds: float) -> str:
    """Such as "40 seconds" or "2 minutes", in the current language; never less than a second."""
    whole = max(1, round(seconds))
    if whole in FIVES:
        whole = 5 * round(whole / 5)
    locale = get_i18n().current_locale
    return format_timedelta(whole, threshold=NEXT_UNIT_FROM, locale=locale)


def in_days(seconds: float) -> str:
    """Such as "30 days", in the current language: a promise, so not in weeks or months."""
    # Not babel.units: for Chinese it knows no days by this code.
    locale = get_i18n().current_locale
    return format_timedelta(
        timedelta(days=round(seconds / 86_400)),
        granularity="day",
        threshold=math.inf,
        locale=locale,
    )
