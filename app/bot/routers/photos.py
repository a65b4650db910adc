"""Pictures and clips, at any moment: what they are for follows from what was said before."""

from __future__ import annotations

from dataclasses import replace

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import Message

from app.bot.conversation.dialog import MAX_PHOTOS, Dialog
from app.bot.conversation.draft_order import DraftOrder
from app.bot.conversation.incoming_pictures import (
    IncomingPictures,
    Received,
    messages_with_pictures,
)
from app.bot.conversation.states import Talk
from app.bot.transport.sent_files import is_drawn
from app.bot.ui import texts

PICTURE_EXPECTED = StateFilter(Talk.photo, Talk.pictures)


def make_router() -> Router:
    router = Router(name="photos")
    moving = F.animation | F.video | F.video_note | F.live_photo
    router.message.register(take_pictures, F.photo | F.document | moving)
    # At any other moment a sticker is a joke, and is answered with one.
    router.message.register(refuse_drawn, F.sticker, is_drawn_sticker, PICTURE_EXPECTED)
    router.message.register(take_pictures, F.sticker, PICTURE_EXPECTED)
    return router


def is_drawn_sticker(message: Message) -> bool:
    return message.sticker is not None and is_drawn(message.sticker)


async def refuse_drawn(message: Message) -> None:
    await message.answer(texts.drawn_sticker())


async def take_pictures(
    message: Message,
    album: tuple[Message, ...],
    dialog: Dialog,
    state: FSMContext,
    incoming_pictures: IncomingPictures,
) -> None:
    received = await incoming_pictures.keep(messages_with_pictures(album), message)
    if not received:
        return
    order = await dialog.order()
    match await state.get_state():
        case Talk.photo.state if order.styles:
            fresh = replace(order, photos=received.photos, clips=received.clips)
            await dialog.paint_in_chosen_style(fresh)
        case Talk.gallery.state:
            await dialog.update_gallery(_joined(order, received))
        case Talk.source.state if len(_joined(order, received).contents) == 1:
            await dialog.ask_source(_joined(order, received))
        case _:
            await dialog.ask_for_own_pictures(_joined(order, received))


def _joined(order: DraftOrder, received: Received) -> DraftOrder:
    """The newest are kept where there are too many."""
    return replace(
        order,
        photos=(*order.photos, *received.photos)[-MAX_PHOTOS:],
        clips=(*order.clips, *received.clips)[-MAX_PHOTOS:],
    )
