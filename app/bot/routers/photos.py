"""Pictures, at any moment: what they are for follows from what was said before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message
from aiogram.utils.i18n import gettext as _

from app.bot import texts
from app.bot.arrivals import Arrivals, bearers_of
from app.bot.dialog import MAX_PHOTOS, Dialog, photos_are_here
from app.bot.order import Order
from app.bot.states import Talk
from models.pictures import PictureProblem


def make_router() -> Router:
    router = Router(name="photos")
    router.message.register(refuse_animation, F.animation)
    router.message.register(take_pictures, F.photo | F.document)
    return router


async def refuse_animation(message: Message) -> None:
    await message.answer(texts.picture_problem(PictureProblem.ANIMATED))


async def take_pictures(
    message: Message,
    album: tuple[Message, ...],
    dialog: Dialog,
    state: FSMContext,
    arrivals: Arrivals,
) -> None:
    photos = await arrivals.keep(bearers_of(album), message)
    if not photos:
        return
    order = await dialog.order()
    match await state.get_state():
        case Talk.photo.state if order.styles:
            await dialog.paint(photos, order.styles, look=order.look)
        case Talk.gallery.state:
            await keep_for_gallery(dialog, _joined(order, photos))
        case Talk.source.state if len(order.photos) + len(photos) == 1:
            await dialog.ask_source(_joined(order, photos))
        case _:
            await dialog.ask_for_own_pictures(_joined(order, photos))


async def keep_for_gallery(dialog: Dialog, order: Order) -> None:
    await dialog.hold(order)
    await dialog.say(photos_are_here(len(order.photos)) + " " + _("Which style shall it be?"))


def _joined(order: Order, photos: tuple[Path, ...]) -> Order:
    """The newest are kept where there are too many."""
    return replace(order, photos=(*order.photos, *photos)[-MAX_PHOTOS:])
