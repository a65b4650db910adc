"""The buttons of the conversations, in the current language."""

from __future__ import annotations

from collections.abc import Sequence

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _
from aiogram.utils.keyboard import InlineKeyboardBuilder

from app.bot.ui.callback_data import (
    CancelCallback,
    DataCallback,
    DataTopic,
    GalleryAction,
    GalleryCallback,
    Paged,
    PresetCallback,
    RoleCallback,
    SourceCallback,
)
from app.bot.ui.pages import Page, turning_buttons
from styles.catalog import Preset

PRESETS_A_ROW = 2
NUMBERS_A_ROW = 5

# Rows of the builder, never its `button` and `adjust`: those copy all buttons for each new one.


def source_keyboard(owner: int) -> InlineKeyboardMarkup:
    """Ready styles, or pictures of one's own."""
    builder = InlineKeyboardBuilder()
    builder.row(_button(_("Yes, show them"), SourceCallback(owner=owner, ready=True)))
    builder.row(_button(_("No, I have my own"), SourceCallback(owner=owner, ready=False)))
    builder.row(_cancel(owner))
    return builder.as_markup()


def gallery_keyboard(
    page: Page[Preset],
    owner: int,
    *,
    language: str,
    chosen: Sequence[str] = (),
    mixing: bool = False,
    can_paint: bool = False,
) -> InlineKeyboardMarkup:
    """A button for each ready style of a page; the chosen ones are ticked."""
    styles = [
        _button(
            ("✓ " if preset.slug in chosen else "") + preset.name(language),
            PresetCallback(owner=owner, slug=preset.slug),
        )
        for preset in page.items
    ]
    builder = InlineKeyboardBuilder()
    builder.row(*styles, width=PRESETS_A_ROW)
    builder.row(*turning_buttons(page, Paged.GALLERY, owner))
    if not mixing:
        mix = GalleryCallback(owner=owner, action=GalleryAction.MIX)
        builder.row(_button(_("➕ Add another style"), mix))
    elif can_paint:
        paint = GalleryCallback(owner=owner, action=GalleryAction.PAINT)
        builder.row(_button(_("▶️ Paint"), paint))
    builder.row(_cancel(owner))
    return builder.as_markup()


def one_picture_keyboard(owner: int) -> InlineKeyboardMarkup:
    """For who has sent one picture and may have no second."""
    ready = _button(_("🖼 Choose a ready style"), SourceCallback(owner=owner, ready=True))
    builder = InlineKeyboardBuilder()
    builder.row(ready)
    builder.row(_cancel(owner))
    return builder.as_markup()


def roles_keyboard(owner: int, count: int) -> InlineKeyboardMarkup:
    """A button for each picture by its number; none where there are too many."""
    numbers = [
        _button(str(number), RoleCallback(owner=owner, number=number))
        for number in range(1, count + 1)
    ]
    ready = _button(_("🖼 A ready style for all"), SourceCallback(owner=owner, ready=True))
    builder = InlineKeyboardBuilder()
    builder.row(*numbers, width=NUMBERS_A_ROW)
    builder.row(ready)
    builder.row(_cancel(owner))
    return builder.as_markup()


def cancel_keyboard(owner: int) -> InlineKeyboardMarkup:
    """Cancel alone."""
    builder = InlineKeyboardBuilder()
    builder.row(_cancel(owner))
    return builder.as_markup()


def see_data_keyboard(owner: int) -> InlineKeyboardMarkup:
    """Yes or no."""
    yes = _button(_("Yes"), DataCallback(owner=owner, topic=DataTopic.YES))
    no = _button(_("No"), DataCallback(owner=owner, topic=DataTopic.NO))
    builder = InlineKeyboardBuilder()
    builder.row(yes, no)
    return builder.as_markup()


def which_data_keyboard(owner: int) -> InlineKeyboardMarkup:
    """The ID or the nickname."""
    its_id = _button(_("ID"), DataCallback(owner=owner, topic=DataTopic.ID))
    nickname = _button(_("Nickname"), DataCallback(owner=owner, topic=DataTopic.NICKNAME))
    builder = InlineKeyboardBuilder()
    builder.row(its_id, nickname)
    return builder.as_markup()


def _cancel(owner: int) -> InlineKeyboardButton:
    return _button(_("✖️ Cancel"), CancelCallback(owner=owner))


def _button(text: str, callback: CallbackData) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=text, callback_data=callback.pack())
