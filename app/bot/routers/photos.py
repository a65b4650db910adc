"""Pictures, at any moment: what they are for follows from what was said before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import Message

from app.bot.conversation.dialog import MAX_PHOTOS, Dialog
from app.bot.conversation.draft_order import DraftOrder
from app.bot.conversation.incoming_pictures import IncomingPictures, messages_with_pictures
from app.bot.conversation.states import Talk
from app.bot.transport.picture_downloads import picture_in
from app.bot.ui import texts
from models.pictures import PictureProblem

PICTURE_EXPECTED = StateFilter(Talk.photo, Talk.pictures)


def make_router() -> Router:
    router = Router(name="photos")
    router.message.register(refuse_animation, F.animation)
    router.message.register(take_pictures, F.photo | F.document)
    # At any other moment a sticker is a joke, and is answered with one.
    router.message.register(take_pictures, F.sticker, is_still_sticker, PICTURE_EXPECTED)
    return router


def is_still_sticker(message: Message) -> bool:
    """Whether it is a picture, and no animation or video."""
    return picture_in(message) is not None


async def refuse_animation(message: Message) -> None:
    await message.answer(texts.picture_problem(PictureProblem.ANIMATED))


async def take_pictures(
    message: Message,
    album: tuple[Message, ...],
    dialog: Dialog,
    state: FSMContext,
    incoming_pictures: IncomingPictures,
) -> None:
    photos = await incoming_pictures.keep(messages_with_pictures(album), message)
    if not photos:
        return
    order = await dialog.order()
    match await state.get_state():
        case Talk.photo.state if order.styles:
            await dialog.paint_in_chosen_style(replace(order, photos=photos))
        case Talk.gallery.state:
            await dialog.update_gallery(_joined(order, photos))
        case Talk.source.state if len(order.photos) + len(photos) == 1:
            await dialog.ask_source(_joined(order, photos))
        case _:
            await dialog.ask_for_own_pictures(_joined(order, photos))


def _joined(order: DraftOrder, photos: tuple[Path, ...]) -> DraftOrder:
    """The newest are kept where there are too many."""
    return replace(order, photos=(*order.photos, *photos)[-MAX_PHOTOS:])
