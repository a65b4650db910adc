"""What admins alone may do: /addstyle, /delstyle, /stats. For others these words mean nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from aiogram import F, Router, html
from aiogram.filters import Command, CommandObject
from aiogram.fsm.context import FSMContext
from aiogram.types import (
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
)
from aiogram.utils.i18n import gettext as _
from aiogram.utils.keyboard import InlineKeyboardBuilder

from app.bot.conversation.dialog import Dialog
from app.bot.conversation.incoming_pictures import IncomingPictures, messages_with_pictures
from app.bot.conversation.questions import Questions
from app.bot.conversation.style_trials import StyleTrials, free_name
from app.bot.job_message.job_buttons import TrialCallback
from app.bot.job_message.own_jobs import own_job
from app.bot.ui.callback_data import OwnedCallback, PageCallback, Paged
from app.bot.ui.pages import Page, page_of, turning_buttons
from app.bot.ui.stats_text import stats_text
from app.bot.ui.texts import safe_name
from app.jobs.interface import JobService
from app.monitoring.health import Health
from styles.catalog import (
    BadNameError,
    BadPictureError,
    Catalog,
    CatalogError,
    NameTakenError,
    NotOwnError,
    Preset,
)


class UnstyleCallback(OwnedCallback, prefix="unstyle"):
    """Which of the added styles is to go."""

    slug: str


def make_router(admin_ids: Collection[int]) -> Router:
    router = Router(name="admin")
    for observer in (router.message, router.callback_query):
        observer.filter(F.from_user.id.in_(admin_ids))
    router.message.register(add_style, Command("addstyle"))
    router.message.register(remove_style, Command("delstyle"))
    router.message.register(show_stats, Command("stats"))
    router.callback_query.register(keep_style, TrialCallback.filter(F.keep))
    router.callback_query.register(drop_style, TrialCallback.filter())
    router.callback_query.register(turn_added, PageCallback.filter(F.of == Paged.ADDED))
    router.callback_query.register(remove_pressed, UnstyleCallback.filter())
    return router


async def add_style(
    message: Message,
    command: CommandObject,
    album: tuple[Message, ...],
    state: FSMContext,
    dialog: Dialog,
    incoming_pictures: IncomingPictures,
    style_trials: StyleTrials,
) -> None:
    replied_to = [message.reply_to_message] if message.reply_to_message else []
    picture_messages = messages_with_pictures(album) or messages_with_pictures(replied_to)
    if not picture_messages or not command.args:
        await message.answer(_("Please send a picture with the caption /addstyle and a name."))
        return
    try:
        name = free_name(command.args, style_trials.catalog)
    except (ValueError, NameTakenError) as error:
        await message.answer(catalog_problem(error))
        return
    received = await incoming_pictures.keep(picture_messages[:1], message, may_move=False)
    for picture in received.photos:
        await style_trials.begin(dialog.requester, name, picture, state)


async def keep_style(
    query: CallbackQuery,
    callback_data: TrialCallback,
    state: FSMContext,
    job_service: JobService,
    style_trials: StyleTrials,
) -> None:
    job = await own_job(query, callback_data.job_id, job_service)
    if job is None:
        return
    try:
        preset = await style_trials.keep(job, state)
    except CatalogError as error:
        await query.answer(catalog_problem(error), show_alert=True)
        return
    await query.answer()
    if preset is not None:
        name = safe_name(preset.name(job.request.language))
        await close_trial(query, _("The style {name} is there for everyone now.").format(name=name))


async def drop_style(
    query: CallbackQuery,
    callback_data: TrialCallback,
    state: FSMContext,
    job_service: JobService,
    style_trials: StyleTrials,
) -> None:
    job = await own_job(query, callback_data.job_id, job_service)
    if job is not None:
        await query.answer()
        await style_trials.drop(job, state)
        await close_trial(query, _("Dropped."))


async def remove_style(
    message: Message, command: CommandObject, catalog: Catalog, questions: Questions
) -> None:
    added = page_of(added_styles(catalog), 0)
    named = catalog.find(command.args) if command.args else None
    if named is not None:
        await message.answer(await removed(named.slug, catalog))
    elif not added.items:
        await message.answer(_("No style was added, so there is none to remove."))
    elif message.from_user is not None:
        keyboard = added_keyboard(added, message.from_user.id)
        await questions.ask(_("Which style shall I remove?"), keyboard, is_menu=True)


async def turn_added(
    query: CallbackQuery, callback_data: PageCallback, catalog: Catalog, questions: Questions
) -> None:
    await query.answer()
    page = page_of(added_styles(catalog), callback_data.number)
    keyboard = added_keyboard(page, query.from_user.id)
    await questions.ask(_("Which style shall I remove?"), keyboard, is_menu=True)


async def remove_pressed(
    query: CallbackQuery, callback_data: UnstyleCallback, catalog: Catalog, questions: Questions
) -> None:
    await query.answer()
    await questions.close(await removed(callback_data.slug, catalog), is_menu=True)


async def show_stats(message: Message, health: Health) -> None:
    await message.answer(stats_text(await health.report()))


async def removed(slug: str, catalog: Catalog) -> str:
    """Remove an added style; what to say about it."""
    try:
        preset = await asyncio.to_thread(catalog.remove, slug)
    except CatalogError as error:
        return catalog_problem(error)
    return _("The style {name} is removed.").format(name=safe_name(preset.names["en"]))


async def close_trial(query: CallbackQuery, text: str) -> None:
    if isinstance(query.message, Message):
        await query.message.edit_caption(caption=text)


def added_styles(catalog: Catalog) -> list[Preset]:
    return [preset for preset in catalog.presets() if preset.own]


def added_keyboard(page: Page[Preset], owner: int) -> InlineKeyboardMarkup:
    buttons = [
        InlineKeyboardButton(
            text=preset.names["en"],
            callback_data=UnstyleCallback(owner=owner, slug=preset.slug).pack(),
        )
        for preset in page.items
    ]
    builder = InlineKeyboardBuilder()
    builder.row(*buttons, width=1)
    builder.row(*turning_buttons(page, Paged.ADDED, owner))
    return builder.as_markup()


def catalog_problem(error: Exception) -> str:
    """Why a style can't be added or removed, in one sentence."""
    match error:
        case NameTakenError():
            return _("There is a style of this name already. Please choose another name.")
        case BadPictureError():
            return _("I can't use this picture as a style any more. Please send it once more.")
        case NotOwnError():
            return _("Only styles that were added can be removed.")
        case ValueError() | BadNameError():
            return _("A style can't be called that. One to 40 visible characters, please.")
    # Something about the owner's own files: he has to read it as it is.
    return html.quote(str(error))
