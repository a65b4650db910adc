"""The order in which an update meets middlewares and routers, all in one place."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.exceptions import AiogramError
from aiogram.types import BotCommand
from aiogram.utils.i18n import I18n
from aiogram.utils.i18n import gettext as _

from app.bot.conversation.fsm_storage import ConversationStorage
from app.bot.conversation.incoming_pictures import IncomingPictures
from app.bot.conversation.style_gallery import StyleGallery
from app.bot.conversation.style_trials import StyleTrials
from app.bot.conversation.submission import JobSubmission
from app.bot.middlewares.access import AccessMiddleware
from app.bot.middlewares.addressed import AddressedMiddleware
from app.bot.middlewares.dialog import DialogMiddleware
from app.bot.middlewares.language import LanguageMiddleware
from app.bot.middlewares.owner import ChannelMiddleware, OwnerMiddleware
from app.bot.middlewares.throttling import ThrottlingMiddleware
from app.bot.preferences import PreferencesRepository
from app.bot.routers import (
    admin,
    errors,
    extras,
    fallback,
    forget,
    history,
    jobs,
    my_data,
    photos,
    picture_roles,
    privacy,
    share,
    start,
    style,
)
from app.bot.routers import settings as settings_router
from app.bot.transport.administrators import Administrators
from app.bot.transport.rate_limiter import Rate
from app.bot.ui.i18n import bare_code, languages
from app.jobs.interface import JobService
from app.settings import Settings
from styles.catalog import Catalog

logger = logging.getLogger(__name__)


def make_dispatcher(
    *,
    administrators: Administrators,
    settings: Settings,
    storage: ConversationStorage,
    job_service: JobService,
    preferences: PreferencesRepository,
    incoming_pictures: IncomingPictures,
    catalog: Catalog,
    i18n: I18n,
    clip_size_px: Callable[[], int],
    **services: Any,
) -> Dispatcher:
    """Handlers ask for any of these by its name in their signature."""
    dispatcher = Dispatcher(
        storage=storage,
        settings=settings,
        job_service=job_service,
        preferences=preferences,
        incoming_pictures=incoming_pictures,
        catalog=catalog,
        gallery=StyleGallery(catalog),
        job_submission=JobSubmission(
            job_service=job_service,
            preferences=preferences,
            catalog=catalog,
            clip_size_px=clip_size_px,
        ),
        style_trials=StyleTrials(job_service, catalog, preferences),
        i18n=i18n,
        **services,
    )
    _add_middlewares(dispatcher, administrators, settings, LanguageMiddleware(i18n, preferences))
    _add_routers(dispatcher, settings)
    return dispatcher


def _add_middlewares(
    dispatcher: Dispatcher,
    administrators: Administrators,
    settings: Settings,
    language: LanguageMiddleware,
) -> None:
    """The first of each kind is met first."""
    rate = Rate(per_minute=settings.flood_messages_per_minute, burst=settings.flood_burst_messages)
    dispatcher.update.outer_middleware(AddressedMiddleware())
    dispatcher.update.outer_middleware(language)
    dispatcher.update.outer_middleware(ThrottlingMiddleware(rate))
    dispatcher.update.outer_middleware(AccessMiddleware(settings.lets_in))
    dispatcher.error.middleware(language)  # those above have been left when an error is met
    dispatcher.message.middleware(ChannelMiddleware(administrators))
    dispatcher.message.middleware(DialogMiddleware())
    dispatcher.callback_query.middleware(OwnerMiddleware(administrators))
    dispatcher.callback_query.middleware(DialogMiddleware())


def _add_routers(dispatcher: Dispatcher, settings: Settings) -> None:
    """The first that wants an update has it."""
    dispatcher.include_routers(
        errors.make_router(),
        start.make_router(),
        style.make_router(),
        picture_roles.make_router(),
        my_data.make_router(),
        settings_router.make_router(),
        jobs.make_router(),
        extras.make_router(),
        history.make_router(),
        forget.make_router(),
        privacy.make_router(),
        admin.make_router(settings.admin_ids),
        share.make_router(),
        photos.make_router(),
        fallback.make_router(),  # last: it answers whatever the others leave
    )


async def publish_commands(bot: Bot, i18n: I18n) -> None:
    """Register the command menu in every language; English is for all the others too."""
    for language in languages():
        with i18n.context(), i18n.use_locale(language):
            commands = menu()
        code = None if language == i18n.default_locale else bare_code(language)
        try:
            await bot.set_my_commands(commands, language_code=code)
        except AiogramError as error:
            # The menu of the last start is still there.
            logger.warning("no command menu", extra={"error": type(error).__name__})


def menu() -> list[BotCommand]:
    """The commands in the current language."""
    about = {
        "start": _("greet me"),
        "style": _("paint in a ready style"),
        "queue": _("your pictures in the queue"),
        "history": _("your last pictures"),
        "settings": _("quality, size, strength and more"),
        "button": _("what I know about you"),
        "help": _("how it works"),
        "cancel": _("start over"),
        "privacy": _("what I keep, and for how long"),
        "forget": _("delete everything about you"),
    }
    return [BotCommand(command=name, description=text) for name, text in about.items()]
