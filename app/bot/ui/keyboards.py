"""The buttons of the conversations, in the current language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _

from app.bot.ui.callback_data import (
    CancelCallback,
    DataCallback,
    DataTopic,
    GalleryAction,
    GalleryCallback,
    PresetCallback,
    RoleCallback,
    SourceCallback,
)
from styles.catalog import Preset

PRESETS_A_ROW = 2
NUMBERS_A_ROW = 5

Row = list[InlineKeyboardButton]


def source_keyboard(owner: int) -> InlineKeyboardMarkup:
    """Ready styles, or pictures of one's own."""
    return _keyboard(
        [_button(_("Yes, show them"), SourceCallback(owner=owner, ready=True))],
        [_button(_("No, I have my own"), SourceCallback(owner=owner, ready=False))],
        _cancel(owner),
    )


def gallery_keyboard(
    presets: Iterable[Preset],
    owner: int,
    *,
    language: str,
    chosen: Sequence[str] = (),
    mixing: bool = False,
    can_paint: bool = False,
) -> InlineKeyboardMarkup:
    """A button for each ready style; the chosen ones are ticked."""
    styles = [
        _button(
            ("✓ " if preset.slug in chosen else "") + preset.name(language),
            PresetCallback(owner=owner, slug=preset.slug),
        )
        for preset in presets
    ]
    last: Row = []
    if not mixing:
        last.append(
            _button(
                _("➕ Add another style"), GalleryCallback(owner=owner, action=GalleryAction.MIX)
            )
        )
    elif can_paint:
        last.append(_button(_("▶️ Paint"), GalleryCallback(owner=owner, action=GalleryAction.PAINT)))
    return _keyboard(*_rows(styles, PRESETS_A_ROW), last, _cancel(owner))


def one_picture_keyboard(owner: int) -> InlineKeyboardMarkup:
    """For who has sent one picture and may have no second."""
    return _keyboard(
        [_button(_("🖼 Choose a ready style"), SourceCallback(owner=owner, ready=True))],
        _cancel(owner),
    )


def roles_keyboard(owner: int, count: int) -> InlineKeyboardMarkup:
    """A button for each picture by its number; none where there are too many."""
    numbers = [
        _button(str(number), RoleCallback(owner=owner, number=number))
        for number in range(1, count + 1)
    ]
    ready = _button(_("🖼 A ready style for all"), SourceCallback(owner=owner, ready=True))
    return _keyboard(*_rows(numbers, NUMBERS_A_ROW), [ready], _cancel(owner))


def cancel_keyboard(owner: int) -> InlineKeyboardMarkup:
    """Cancel alone."""
    return _keyboard(_cancel(owner))


def see_data_keyboard(owner: int) -> InlineKeyboardMarkup:
    """Yes or no."""
    return _keyboard(
        [
            _button(_("Yes"), DataCallback(owner=owner, topic=DataTopic.YES)),
            _button(_("No"), DataCallback(owner=owner, topic=DataTopic.NO)),
        ]
    )


def which_data_keyboard(owner: int) -> InlineKeyboardMarkup:
    """The ID or the nickname."""
    return _keyboard(
        [
            _button(_("ID"), DataCallback(owner=owner, topic=DataTopic.ID)),
            _button(_("Nickname"), DataCallback(owner=owner, topic=DataTopic.NICKNAME)),
        ]
    )


def _cancel(owner: int) -> Row:
    return [_button(_("✖️ Cancel"), CancelCallback(owner=owner))]


def _button(text: str, callback: CallbackData) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=text, callback_data=callback.pack())


def _rows(buttons: Sequence[InlineKeyboardButton], width: int) -> list[Row]:
    return [list(buttons[start : start + width]) for start in range(0, len(buttons), width)]


def _keyboard(*rows: Row) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[row for row in rows if row])
