"""What the styles of a job or an order are called."""

from __future__ import annotations

from collections.abc import Iterable

from aiogram.utils.i18n import ngettext

from app.jobs.model import StyleChoice
from styles.catalog import Catalog


def style_names(styles: Iterable[StyleChoice], catalog: Catalog, language: str) -> list[str]:
    """Plain text; pictures of one's own have no name."""
    slugs = [choice.preset for choice in styles if choice.preset is not None]
    presets = [catalog.get(slug) for slug in slugs]
    return [preset.name(language) for preset in presets if preset is not None]


def own_styles(count: int) -> str:
    """What stands in the place of such names, in the current language."""
    return ngettext("A style of your own", "{count} styles of your own", count).format(count=count)
