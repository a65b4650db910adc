"""/style: one of the ready styles, or several mixed."""

from __future__ import annotations

from dataclasses import replace

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from app.bot.arrivals import Arrivals, bearers_of
from app.bot.callbacks import GalleryAction, GalleryPress, PresetPress, SourcePress
from app.bot.dialog import Dialog
from app.bot.order import Order
from app.bot.pictures import picture_in
from app.jobs.job import StylePick
from models.interface import MAX_STYLES
from styles.catalog import Catalog


def make_router() -> Router:
    router = Router(name="style")
    router.message.register(choose, Command("style"))
    router.callback_query.register(show_styles, SourcePress.filter(F.ready))
    router.callback_query.register(ask_for_pictures, SourcePress.filter())
    router.callback_query.register(choose_preset, PresetPress.filter())
    router.callback_query.register(mix, GalleryPress.filter(F.action == GalleryAction.MIX))
    router.callback_query.register(
        paint_mixture, GalleryPress.filter(F.action == GalleryAction.PAINT)
    )
    return router


async def choose(
    message: Message, dialog: Dialog, arrivals: Arrivals, album: tuple[Message, ...]
) -> None:
    """Also as a caption, and in reply to a photo (which is how it works in groups)."""
    held = await dialog.order()
    bearers = bearers_of(album)
    replied_to = message.reply_to_message
    if not bearers and replied_to is not None and picture_in(replied_to):
        bearers = [replied_to]
    photos = await arrivals.keep(bearers, message)
    if bearers and not photos:
        return
    await dialog.ask_source(Order(photos=photos or held.photos))


async def show_styles(query: CallbackQuery, dialog: Dialog) -> None:
    await query.answer()
    order = await dialog.order()
    await dialog.show_gallery(Order(photos=order.photos))


async def ask_for_pictures(query: CallbackQuery, dialog: Dialog) -> None:
    await query.answer()
    order = await dialog.order()
    await dialog.ask_for_own_pictures(Order(photos=order.photos))


async def choose_preset(
    query: CallbackQuery, callback_data: PresetPress, dialog: Dialog, catalog: Catalog
) -> None:
    preset = catalog.get(callback_data.slug)
    if preset is None or query.message is None:
        await query.answer(_("This style has gone meanwhile. Please choose another one: /style"))
        return
    await query.answer()
    order = await dialog.order()
    pick = StylePick(preset.picture, preset.slug)
    styles = toggled(order.styles, pick) if order.mixing else (pick,)
    order = replace(order, styles=styles, look=None)
    if order.photos and not order.mixing:
        await paint(dialog, order, query.message.message_id)
    else:
        await dialog.update_gallery(order, query.message.message_id)


async def mix(query: CallbackQuery, dialog: Dialog) -> None:
    await query.answer()
    order = replace(await dialog.order(), mixing=True)
    if query.message is not None:
        await dialog.update_gallery(order, query.message.message_id)


async def paint_mixture(query: CallbackQuery, dialog: Dialog) -> None:
    order = await dialog.order()
    if not order.styles:
        await query.answer(_("Please choose at least one style."))
        return
    await query.answer()
    if not order.photos:
        await dialog.ask_for_photo(order)
    elif query.message is not None:
        await paint(dialog, order, query.message.message_id)


async def paint(dialog: Dialog, order: Order, gallery: int) -> None:
    await dialog.paint(order.photos, order.styles, question=gallery)
    await dialog.retire(gallery, _("Style: {name}.").format(name=dialog.style_names(order)))


def toggled(styles: tuple[StylePick, ...], pick: StylePick) -> tuple[StylePick, ...]:
    """With the style if it was not there, else without; the oldest makes room for one too many."""
    if pick in styles:
        return tuple(each for each in styles if each != pick)
    return (*styles, pick)[-MAX_STYLES:]
