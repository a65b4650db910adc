"""Durations in words, rounded as one would say them."""

from __future__ import annotations

from aiogram.utils.i18n import ngettext

SECONDS_UP_TO_S = 90
MINUTES_UP_TO_S = 90 * 60
HOURS_UP_TO_S = 48 * 3600
ROUND_TO_S = 5


def in_words(seconds: float) -> str:
    """Such as "40 seconds" or "2 minutes", in the current language; never less than a second."""
    if seconds < SECONDS_UP_TO_S:
        exact = max(1, round(seconds))
        count = exact if exact < 2 * ROUND_TO_S else ROUND_TO_S * round(exact / ROUND_TO_S)
        return ngettext("{count} second", "{count} seconds", count).format(count=count)
    if seconds < MINUTES_UP_TO_S:
        count = round(seconds / 60)
        return ngettext("{count} minute", "{count} minutes", count).format(count=count)
    if seconds < HOURS_UP_TO_S:
        count = round(seconds / 3600)
        return ngettext("{count} hour", "{count} hours", count).format(count=count)
    count = round(seconds / 86_400)
    return ngettext("{count} day", "{count} days", count).format(count=count)
