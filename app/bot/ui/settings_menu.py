"""The message of /settings: what can be set, the choices for each, and their names."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _
from aiogram.utils.keyboard import InlineKeyboardBuilder

from app.bot.preferences import UserPreferences
from app.bot.ui.callback_data import OwnedCallback
from app.bot.ui.i18n import language_name, languages
from app.bot.ui.numbers import number, percent
from app.jobs.model import Delivery
from models.interface import Quality

Value = Quality | Delivery | int | float | bool | str
BUTTONS_A_ROW: Final = 2
OPEN: Final = "auto"
"""In callback data: leave the choice to the style or to the bot."""


class Field(enum.StrEnum):
    """What can be set; the values are the fields of `UserPreferences`."""

    QUALITY = "quality"
    SIZE = "size_px"
    STRENGTH = "strength"
    COLORS = "keep_colors"
    FACES = "keep_faces"
    BRUSH = "brush"
    DELIVERY = "delivery"
    LANGUAGE = "language"


_CHOICES: Final[Mapping[Field, tuple[Value, ...]]] = {
    Field.QUALITY: tuple(Quality),
    Field.SIZE: (512, 768, 1024, 1536, 2048),
    Field.STRENGTH: (25, 40, 55, 70, 85, 100),
    Field.COLORS: (False, True),
    Field.FACES: (True, False),
    Field.BRUSH: (0.5, 0.7, 1.0, 1.4, 2.0),
    Field.DELIVERY: tuple(Delivery),
}


class SettingsCallback(OwnedCallback, prefix="set"):
    """A button of /settings: the overview, the choices for a field, or one of those."""

    field: Field | None = None
    value: str | None = None


def choices(field: Field) -> tuple[Value, ...]:
    """What there is to choose from, besides leaving it open."""
    return languages() if field is Field.LANGUAGE else _CHOICES[field]


def parse_choice(field: Field, text: str) -> Value | None:
    """The choice that callback data means; None for `OPEN`. Raises ValueError for anything else."""
    if text == OPEN:
        return None
    for value in choices(field):
        if text == str(value):
            return value
    raise ValueError(f"{text!r} is no choice for {field}")


def overview(chosen: UserPreferences) -> str:
    """Everything that is set, line by line."""
    lines = [line(field, getattr(chosen, field)) for field in Field]
    return "\n".join([_("Your settings. Press one to change it."), "", *lines])


def line(field: Field, value: Value | None) -> str:
    """A setting and what a person calls its value."""
    return _("{setting}: {value}").format(setting=field_name(field), value=value_name(field, value))


def overview_keyboard(owner: int) -> InlineKeyboardMarkup:
    """A button for each field, two a row."""
    buttons = [_button(field_name(field), owner, field) for field in Field]
    builder = InlineKeyboardBuilder()
    builder.row(*buttons, width=BUTTONS_A_ROW)
    return builder.as_markup()


def question(field: Field, chosen: UserPreferences) -> str:
    """What is set now, and that it can be chosen anew."""
    now = value_name(field, getattr(chosen, field))
    return _("{setting}: {value}.\nWhich shall it be?").format(setting=field_name(field), value=now)


def choices_keyboard(owner: int, field: Field) -> InlineKeyboardMarkup:
    """A button for each choice, one to leave it open and one back."""
    buttons = [
        _button(_choice_name(field, value), owner, field, str(value)) for value in choices(field)
    ]
    builder = InlineKeyboardBuilder()
    builder.row(*buttons, width=BUTTONS_A_ROW)
    builder.row(_button(value_name(field, None), owner, field, OPEN))
    builder.row(_button(_("« Back"), owner))
    return builder.as_markup()


def field_name(field: Field) -> str:
    match field:
        case Field.QUALITY:
            return _("Quality")
        case Field.SIZE:
            return _("Size")
        case Field.STRENGTH:
            return _("Strength")
        case Field.COLORS:
            return _("Colours")
        case Field.FACES:
            return _("Faces")
        case Field.BRUSH:
            return _("Brush")
        case Field.DELIVERY:
            return _("Result as")
        case Field.LANGUAGE:
            return _("Language")


def value_name(field: Field, value: Value | None) -> str:
    """What a person calls a choice."""
    match field, value:
        case _, None:
            return _open_name(field)
        case Field.SIZE, _:
            return _("{size} px").format(size=value)
        case Field.STRENGTH, _:
            return percent(int(value))
        case Field.FACES, _:
            return _("natural") if value else _("as painted")
        case Field.BRUSH, _:
            return f"× {number(float(value), decimals=2)}"
        case Field.LANGUAGE, _:
            return language_name(str(value))
    return _word(value)


def _choice_name(field: Field, value: Value) -> str:
    """The same on a button: also what there is to know before it is pressed."""
    name = value_name(field, value)
    match value:
        case Quality.DRAFT:
            return _("{quality}, at once").format(quality=name)
        case Quality.HIGH:
            return _("{quality}, takes longer").format(quality=name)
    return name


def _open_name(field: Field) -> str:
    match field:
        case Field.STRENGTH | Field.COLORS | Field.FACES | Field.BRUSH:
            return _("as suits the style")
        case Field.LANGUAGE:
            return _("as in Telegram")
    return _("as usual")


def _word(value: Value | None) -> str:
    names: Mapping[Value | None, str] = {
        Quality.DRAFT: _("draft"),
        Quality.STANDARD: _("standard"),
        Quality.HIGH: _("high"),
        Delivery.PHOTO: _("a photo"),
        Delivery.FILE: _("a file, not compressed"),
        False: _("of the painting"),
        True: _("of the photo"),
    }
    return names[value]


def _button(
    text: str, owner: int, field: Field | None = None, value: str | None = None
) -> InlineKeyboardButton:
    callback = SettingsCallback(owner=owner, field=field, value=value)
    return InlineKeyboardButton(text=text, callback_data=callback.pack())
