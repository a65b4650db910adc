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

from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State
from aiogram.types import BufferedInputFile, InlineKeyboardMarkup

from app.bot.conversation import question_texts
from app.bot.conversation.draft_order import DraftOrder, load_order, save_order
from app.bot.conversation.question_texts import MAX_ROLES
from app.bot.conversation.questions import Questions
from app.bot.conversation.states import Talk
from app.bot.conversation.style_gallery import StyleGallery
from app.bot.conversation.submission import JobSubmission
from app.bot.requester import Requester
from app.bot.ui import keyboards
from app.bot.ui.pages import page_of
from app.bot.ui.style_names import style_names
from app.bot.ui.texts import safe_name
from app.jobs.model import StyleChoice
from models.interface import MAX_STYLES
from models.pictures.encoding import encode_jpeg
from models.pictures.reading import open_picture
from styles.catalog import Catalog
from styles.gallery import compose_sheet

MAX_PHOTOS: Final = 10
"""As many as an album holds."""
TILE_SIDE_PX: Final = 640


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialog:
    """One person's conversation in one chat, at one update."""

    requester: Requester
    state: FSMContext
    questions: Questions
    catalog: Catalog
    gallery: StyleGallery
    job_submission: JobSubmission

    async def order(self) -> DraftOrder:
        """What was said so far."""
        return await load_order(self.state)

    async def ask_source(self, order: DraftOrder) -> None:
        """One of the ready styles?"""
        text = question_texts.source_question(order)
        await self.questions.ask(text, keyboards.source_keyboard(self.requester.user_id))
        await self._go_on(Talk.source, order)

    async def ask_for_own_pictures(self, order: DraftOrder) -> None:
        """Two pictures are needed, or one more. Raises PictureError.

        Where one moves nobody has to be asked: a clip is never the style.
        """
        if order.clips and 1 <= len(order.photos) <= MAX_STYLES:
            await self.paint_clips(order)
            return
        if order.clips and order.photos:
            await self.ask_source(order)
            return
        if len(order.photos) > 1:
            await self.ask_roles(order)
            return
        owner = self.requester.user_id
        text = self._hinted(question_texts.pictures_question(order))
        keyboard = (
            keyboards.one_picture_keyboard(owner)
            if order.contents
            else keyboards.cancel_keyboard(owner)
        )
        await self.questions.ask(text, keyboard)
        await self._go_on(Talk.pictures, order)

    async def ask_roles(self, order: DraftOrder) -> None:
        """Show the pictures with numbers and ask which one is what. Raises PictureError."""
        count = len(order.photos)
        sheet = BufferedInputFile(
            await asyncio.to_thread(_numbered, order.photos), filename="pictures.jpg"
        )
        keyboard = keyboards.roles_keyboard(
            self.requester.user_id, count if count <= MAX_ROLES else 0
        )
        await self.questions.ask(question_texts.roles_question(count), keyboard, sheet)
        await self._go_on(Talk.roles, order)

    async def show_gallery(self, order: DraftOrder) -> None:
        """A page of the ready styles, each with a button."""
        ask = partial(self.questions.ask, self._gallery_text(order), self._gallery_keyboard(order))
        await self.gallery.show(self.requester.language, ask, page=order.page)
        await self._go_on(_gallery_state(order), order)

    async def update_gallery(self, order: DraftOrder) -> None:
        """Show in the gallery what was chosen, or what has come."""
        text, keyboard = self._gallery_text(order), self._gallery_keyboard(order)
        if await self.questions.change(text, keyboard):
            await self._go_on(_gallery_state(order), order)
        else:
            await self.show_gallery(order)

    async def ask_for_photo(self, order: DraftOrder) -> None:
        """The style is known: which photo shall be painted?"""
        text = self._hinted(question_texts.photo_question())
        await self.questions.ask(text, keyboards.cancel_keyboard(self.requester.user_id))
        await self._go_on(Talk.photo, replace(order, photos=(), clips=()))

    async def paint_in_chosen_style(self, order: DraftOrder) -> None:
        """Paint the photos; those that follow are painted in the same style.

        Raises what `JobSubmission.paint` raises, and then the conversation goes on as it was.
        """
        await self.job_submission.paint(
            self.requester, order.contents, order.styles, order.adjustments
        )
        rest = replace(order, photos=(), clips=(), mixing=False)
        await self._go_on(Talk.photo, rest, done=True)
        await self.questions.close(question_texts.style_is(self._style_names(order)))

    async def paint_clips(self, order: DraftOrder) -> None:
        """Paint the clips in the style of the person's pictures. Raises likewise."""
        styles = [StyleChoice(photo) for photo in order.photos]
        await self.job_submission.paint(self.requester, order.clips, styles)
        await self._go_on(None, DraftOrder(), done=True)
        await self.questions.close(question_texts.clips_in_own_style(len(styles)))

    async def paint_roles(self, photos: Sequence[Path], number: int) -> None:
        """Paint one of the person's pictures in the style of the others; `number` is from 1.

        Raises likewise.
        """
        chosen = photos[number - 1]
        others = [photo for photo in photos if photo != chosen]
        # Of two pictures one names the style; of more, the one to paint.
        content, styles = (others[0], [chosen]) if len(others) == 1 else (chosen, others)
        await self.job_submission.paint(
            self.requester, [content], [StyleChoice(style) for style in styles]
        )
        await self._go_on(None, DraftOrder(), done=True)
        await self.questions.close(question_texts.decided_roles(number, len(others)))

    async def leave(self) -> None:
        """Forget what was said so far; jobs that were accepted go on."""
        await self.state.clear()

    def _gallery_text(self, order: DraftOrder) -> str:
        return self._hinted(question_texts.gallery_question(order, self._style_names(order)))

    def _gallery_keyboard(self, order: DraftOrder) -> InlineKeyboardMarkup:
        return keyboards.gallery_keyboard(
            page_of(self.catalog.presets(), order.page),
            self.requester.user_id,
            language=self.requester.language,
            chosen=order.presets,
            mixing=order.mixing,
            can_paint=bool(order.contents),
        )

    def _style_names(self, order: DraftOrder) -> str:
        """In the person's language, as HTML."""
        names = style_names(order.styles, self.catalog, self.requester.language)
        return " + ".join(map(safe_name, names))

    def _hinted(self, text: str) -> str:
        in_private = self.requester.reply_to is None
        return text if in_private else text + "\n" + question_texts.reply_hint()

    async def _go_on(self, state: State | None, order: DraftOrder, *, done: bool = False) -> None:
        # Last of all: what could not be asked has not been asked.
        await save_order(self.state, order, done_by=self.requester.origin if done else None)
        await self.state.set_state(state)


def _numbered(photos: Sequence[Path]) -> bytes:
    """Blocking: a JPEG of all pictures side by side. Raises PictureError."""
    tiles = [
        (str(number), open_picture(photo, long_side_px=TILE_SIDE_PX))
        for number, photo in enumerate(photos, start=1)
    ]
    return encode_jpeg(compose_sheet(tiles))


def _gallery_state(order: DraftOrder) -> State:
    return Talk.photo if order.styles and not order.contents else Talk.gallery
