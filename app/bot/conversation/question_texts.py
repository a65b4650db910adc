"""What the conversation towards a painting asks, in words."""

from __future__ import annotations

from typing import Final

from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from app.bot.conversation.draft_order import DraftOrder
from models.interface import MAX_STYLES

MAX_ROLES: Final = MAX_STYLES + 1
"""One picture to paint, and the styles to mix."""


def source_question(order: DraftOrder) -> str:
    return "\n".join([*contents_are_here(order), _("Would you like one of the ready styles?")])


def photo_question() -> str:
    return _("Send me a photo, or up to ten as an album.")


def pictures_question(order: DraftOrder) -> str:
    if order.clips:
        return "\n".join(
            [
                *contents_are_here(order),
                _("Now send the picture that gives the style. Or choose a ready style."),
            ]
        )
    if order.photos:
        return _(
            "I have your picture. Now send the second one, and I will ask which of them"
            " gives the style. Or choose a ready style."
        )
    return _("Send me two pictures: the photo and the style, together or one after the other.")


def roles_question(count: int) -> str:
    """Which of the numbered pictures is what?"""
    if count == 2:
        return _(
            "Which one gives the style?\nYou can send up to four more pictures to mix their styles."
        )
    if count <= MAX_ROLES:
        return _("Which one shall I paint? The others give the style, mixed.")
    return ngettext(
        "I can mix up to five styles, and here is {count} picture."
        " Shall I paint them all in a ready style?",
        "I can mix up to five styles, and here are {count} pictures."
        " Shall I paint them all in a ready style?",
        count,
    ).format(count=count)


def gallery_question(order: DraftOrder, names: str) -> str:
    """`names` are those of the chosen styles, as HTML."""
    lines = contents_are_here(order)
    if order.styles:
        lines.append(style_is(names))
    if order.mixing and order.contents:
        lines.append(_("Choose up to five styles to mix, then press Paint."))
    elif order.mixing:
        lines.append(_("Choose up to five styles to mix, then send a photo."))
    elif not order.styles:
        lines.append(_("Choose a style:"))
    else:
        lines.append(_("Now send me a photo, or up to ten as an album."))
    return "\n".join(lines)


def style_is(names: str) -> str:
    return _("Style: {name}.").format(name=names)


def contents_are_here(order: DraftOrder) -> list[str]:
    """A sentence each for the photos and the clips, where there are any."""
    photos, clips = len(order.photos), len(order.clips)
    sentences = []
    if photos:
        text = ngettext("I have your photo.", "I have your {count} photos.", photos)
        sentences.append(text.format(count=photos))
    if clips:
        text = ngettext("I have your clip.", "I have your {count} clips.", clips)
        sentences.append(text.format(count=clips))
    return sentences


def clips_in_own_style(styles: int) -> str:
    return ngettext(
        "The clip is painted in the style of your picture.",
        "The clip is painted in the mixed style of your {count} pictures.",
        styles,
    ).format(count=styles)


def reply_hint() -> str:
    return _("In a group, please send it as a reply to this message.")


def decided_roles(number: int, others: int) -> str:
    """Of two pictures the number names the style; of more, the one to paint."""
    if others == 1:
        return _("Picture {number} gives the style.").format(number=number)
    return ngettext(
        "Picture {number} is painted in the style of the other.",
        "Picture {number} is painted in the mixed style of the {count} others.",
        others,
    ).format(number=number, count=others)
