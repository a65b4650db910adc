"""/style: one of the ready styles, or several mixed."""

from __future__ import annotations

from dataclasses import replace

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from app.bot.conversation.dialog import Dialog
from app.bot.conversation.draft_order import DraftOrder
from app.bot.conversation.incoming_pictures import IncomingPictures, messages_with_pictures
from app.bot.transport.sent_files import picture_in
from app.bot.ui import texts
from app.bot.ui.callback_data import (
    GalleryAction,
    GalleryCallback,
    PageCallback,
    Paged,
    PresetCallback,
    SourceCallback,
)
from app.jobs.model import StyleChoice
from models.interface import MAX_STYLES
from styles.catalog import Catalog


def make_router() -> Router:
    router = Router(name="style")
    router.message.register(choose, Command("style"))
    router.callback_query.register(show_styles, SourceCallback.filter(F.ready))
    router.callback_query.register(ask_for_pictures, SourceCallback.filter())
    router.callback_query.register(choose_preset, PresetCallback.filter())
    router.callback_query.register(turn_gallery, PageCallback.filter(F.of == Paged.GALLERY))
    router.callback_query.register(mix, GalleryCallback.filter(F.action == GalleryAction.MIX))
    router.callback_query.register(
        paint_mixture, GalleryCallback.filter(F.action == GalleryAction.PAINT)
    )
    return router


async def choose(
    message: Message,
    dialog: Dialog,
    incoming_pictures: IncomingPictures,
    album: tuple[Message, ...],
) -> None:
    """Also as a caption, and in reply to a photo or clip (which is how it works in groups)."""
    held = await dialog.order()
    picture_messages = messages_with_pictures(album)
    replied_to = message.reply_to_message
    if not picture_messages and replied_to is not None and picture_in(replied_to):
        picture_messages = [replied_to]
    received = await incoming_pictures.keep(picture_messages, message)
    if picture_messages and not received:
        return
    order = received or held
    await dialog.ask_source(DraftOrder(photos=order.photos, clips=order.clips))


async def show_styles(query: CallbackQuery, dialog: Dialog) -> None:
    await query.answer()
    order = await dialog.order()
    await dialog.show_gallery(DraftOrder(photos=order.photos, clips=order.clips))


async def ask_for_pictures(query: CallbackQuery, dialog: Dialog) -> None:
    await query.answer()
    order = await dialog.order()
    await dialog.ask_for_own_pictures(DraftOrder(photos=order.photos, clips=order.clips))


async def choose_preset(
    query: CallbackQuery, callback_data: PresetCallback, dialog: Dialog, catalog: Catalog
) -> None:
    preset = catalog.get(callback_data.slug)
    if preset is None:
        await query.answer(texts.style_is_gone())
        return
    await query.answer()
    order = await dialog.order()
    choice = StyleChoice(preset.picture, preset.slug)
    styles = toggled(order.styles, choice) if order.mixing else (choice,)
    order = replace(order, styles=styles, adjustments=None)
    if order.contents and not order.mixing:
        await dialog.paint_in_chosen_style(order)
    else:
        await dialog.update_gallery(order)


async def turn_gallery(query: CallbackQuery, callback_data: PageCallback, dialog: Dialog) -> None:
    await query.answer()
    await dialog.show_gallery(replace(await dialog.order(), page=callback_data.number))


async def mix(query: CallbackQuery, dialog: Dialog) -> None:
    await query.answer()
    order = replace(await dialog.order(), mixing=True)
    await dialog.update_gallery(order)


async def paint_mixture(query: CallbackQuery, dialog: Dialog) -> None:
    order = await dialog.order()
    if not order.styles:
        await query.answer(_("Please choose at least one style."))
        return
    await query.answer()
    if not order.contents:
        await dialog.ask_for_photo(order)
    else:
        await dialog.paint_in_chosen_style(order)


def toggled(styles: tuple[StyleChoice, ...], choice: StyleChoice) -> tuple[StyleChoice, ...]:
    """With the style if it was not there, else without; the oldest makes room for one too many."""
    if choice in styles:
        return tuple(each for each in styles if each != choice)
    return (*styles, choice)[-MAX_STYLES:]
