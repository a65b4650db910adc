"""The conversation towards a painting: what is asked, and what each answer leads to.

No question waits for its answer, and no answer is refused: a person may do anything next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State
from aiogram.types import BufferedInputFile, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from app.bot.conversation.draft_order import DraftOrder, close_order, load_order, save_order
from app.bot.conversation.states import Talk
from app.bot.conversation.style_gallery import StyleGallery
from app.bot.conversation.submission import JobSubmission
from app.bot.requester import Requester, as_reply
from app.bot.transport.outgoing import allow_duplicates
from app.bot.transport.telegram_errors import is_message_gone, is_not_modified
from app.bot.ui import keyboards
from app.bot.ui.texts import safe_name
from app.jobs.model import StyleAdjustments, StyleChoice
from models.interface import MAX_STYLES
from models.pictures import encode_jpeg, open_picture
from styles.catalog import Catalog
from styles.gallery import compose_sheet

MAX_PHOTOS: Final = 10
"""As many as an album holds."""
TILE_SIDE_PX: Final = 640
MAX_ROLES: Final = MAX_STYLES + 1
"""One picture to paint, and the styles to mix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialog:
    """One person's conversation in one chat, at one update."""

    bot: Bot
    requester: Requester
    state: FSMContext
    catalog: Catalog
    gallery: StyleGallery
    job_submission: JobSubmission

    async def order(self) -> DraftOrder:
        """What was said so far."""
        return await load_order(self.state)

    async def ask_source(self, order: DraftOrder) -> None:
        """One of the ready styles?"""
        text = _("Would you like one of the ready styles?")
        if order.photos:
            text = photos_are_here(len(order.photos)) + "\n" + text
        await self.say(text, keyboards.source_keyboard(self.requester.user_id))
        await self._go_on(Talk.source, order)

    async def ask_for_own_pictures(self, order: DraftOrder) -> None:
        """Two pictures are needed, or one more."""
        if len(order.photos) > 1:
            await self.ask_roles(order)
            return
        if order.photos:
            text = _(
                "I have your picture. Now send the second one, and I will ask which of them"
                " gives the style. Or choose a ready style."
            )
            keyboard = keyboards.one_picture_keyboard(self.requester.user_id)
        else:
            text = _(
                "Send me two pictures: the photo and the style, together or one after the other."
            )
            keyboard = keyboards.cancel_keyboard(self.requester.user_id)
        await self.say(text + self._hint_for_groups(), keyboard)
        await self._go_on(Talk.pictures, order)

    async def ask_roles(self, order: DraftOrder) -> None:
        """Show the pictures with numbers and ask which one is what. Raises PictureError."""
        count = len(order.photos)
        sheet = await asyncio.to_thread(_numbered, order.photos)
        owner = self.requester.user_id
        with allow_duplicates():
            sent = await self.bot.send_photo(
                self.requester.chat_id,
                BufferedInputFile(sheet, "pictures.jpg"),
                caption=roles_question(count),
                reply_markup=keyboards.roles_keyboard(owner, count if count <= MAX_ROLES else 0),
                message_thread_id=self.requester.thread_id,
                reply_parameters=as_reply(self.requester.reply_to),
            )
        await self._go_on(Talk.roles, replace(order, question=sent.message_id))

    async def show_gallery(self, order: DraftOrder) -> None:
        """The ready styles, each with a button."""
        send = partial(
            self.bot.send_photo,
            self.requester.chat_id,
            caption=self._gallery_text(order),
            reply_markup=self._gallery_keyboard(order),
            message_thread_id=self.requester.thread_id,
            reply_parameters=as_reply(self.requester.reply_to),
        )
        with allow_duplicates():
            await self.gallery.show(self.requester.language, send)
        await self._go_on(_gallery_state(order), order)

    async def update_gallery(self, order: DraftOrder, message_id: int) -> None:
        """Show in the gallery what was chosen."""
        await self._edit_caption(
            message_id, self._gallery_text(order), self._gallery_keyboard(order)
        )
        await self._go_on(_gallery_state(order), order)

    async def ask_for_photo(self, order: DraftOrder) -> None:
        """The style is known: which photo shall be painted?"""
        text = _("Send me a photo, or up to ten as an album.") + self._hint_for_groups()
        await self.say(text, keyboards.cancel_keyboard(self.requester.user_id))
        await self._go_on(Talk.photo, replace(order, photos=()))

    async def paint(
        self,
        photos: Sequence[Path],
        styles: Sequence[StyleChoice],
        *,
        adjustments: StyleAdjustments | None = None,
        question: int | None = None,
    ) -> None:
        """Hand the order in; its conversation, and the buttons of `question`, are done.

        Raises what `JobSubmission.paint` raises, and then the conversation goes on as it was.
        """
        await self.job_submission.paint(self.requester, photos, styles, adjustments)
        await close_order(self.state, origin=self.requester.origin, question=question)

    async def hold(self, order: DraftOrder) -> None:
        """Keep what was said; the question that is open stays open."""
        await save_order(self.state, order)

    async def leave(self) -> None:
        """Forget what was said so far; jobs that were accepted go on."""
        await self.state.clear()

    def style_names(self, order: DraftOrder) -> str:
        """The chosen styles in the person's language, as HTML."""
        presets = [self.catalog.get(slug) for slug in order.presets]
        return " + ".join(safe_name(p.name(self.requester.language)) for p in presets if p)

    async def retire(self, message_id: int, text: str) -> None:
        """Put `text` below a picture whose buttons have had their day, and take them away."""
        await self._edit_caption(message_id, text, None)

    def _gallery_text(self, order: DraftOrder) -> str:
        lines = []
        if order.photos:
            lines.append(photos_are_here(len(order.photos)))
        if order.styles:
            lines.append(_("Style: {name}.").format(name=self.style_names(order)))
        if order.mixing and order.photos:
            lines.append(_("Choose up to five styles to mix, then press Paint."))
        elif order.mixing:
            lines.append(_("Choose up to five styles to mix, then send a photo."))
        elif not order.styles:
            lines.append(_("Choose a style:"))
        else:
            lines.append(_("Now send me a photo, or up to ten as an album."))
        return "\n".join(lines) + self._hint_for_groups()

    def _gallery_keyboard(self, order: DraftOrder) -> InlineKeyboardMarkup:
        return keyboards.gallery_keyboard(
            self.catalog.presets(),
            self.requester.user_id,
            language=self.requester.language,
            chosen=order.presets,
            mixing=order.mixing,
            can_paint=bool(order.photos),
        )

    def _hint_for_groups(self) -> str:
        if self.requester.reply_to is None:
            return ""
        return "\n" + _("In a group, please send it as a reply to this message.")

    async def say(self, text: str, keyboard: InlineKeyboardMarkup | None = None) -> Message:
        """Say something in this chat."""
        with allow_duplicates():
            return await self.bot.send_message(
                self.requester.chat_id,
                text,
                reply_markup=keyboard,
                message_thread_id=self.requester.thread_id,
                reply_parameters=as_reply(self.requester.reply_to),
            )

    async def _edit_caption(
        self, message_id: int, text: str, keyboard: InlineKeyboardMarkup | None
    ) -> None:
        try:
            await self.bot.edit_message_caption(
                chat_id=self.requester.chat_id,
                message_id=message_id,
                caption=text,
                reply_markup=keyboard,
            )
        except TelegramBadRequest as error:
            if not (is_not_modified(error) or is_message_gone(error)):
                raise

    async def _go_on(self, state: State, order: DraftOrder) -> None:
        # Last of all: what could not be asked has not been asked.
        await save_order(self.state, order)
        await self.state.set_state(state)


def photos_are_here(count: int) -> str:
    return ngettext("I have your photo.", "I have your {count} photos.", count).format(count=count)


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


def _numbered(photos: Sequence[Path]) -> bytes:
    """Blocking: a JPEG of all pictures side by side. Raises PictureError."""
    tiles = [
        (str(number), open_picture(photo, long_side_px=TILE_SIDE_PX))
        for number, photo in enumerate(photos, start=1)
    ]
    return encode_jpeg(compose_sheet(tiles))


def _gallery_state(order: DraftOrder) -> State:
    return Talk.photo if order.styles and not order.photos else Talk.gallery
