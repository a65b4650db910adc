"""The composition root: what the bot is made of, from the settings to the first update."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Self, TypeVar

from aiogram import Bot, Dispatcher
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.enums import ParseMode
from aiogram.utils.i18n import I18n

from app.bot.chat_database import tidy
from app.bot.chat_stores import ChatStores
from app.bot.conversation.incoming_pictures import IncomingPictures
from app.bot.dispatcher import make_dispatcher, publish_commands
from app.bot.job_message.captions import Captions
from app.bot.job_message.extras import Extras
from app.bot.job_message.reporter import ChatReporter, Pace
from app.bot.personal_data import PersonalData
from app.bot.preferences import PreferencesRepository
from app.bot.routers.forget import resume_and_tell, tell_all
from app.bot.transport.administrators import Administrators
from app.bot.transport.api_server import api_server
from app.bot.transport.expired_answers import IgnoreExpiredAnswers
from app.bot.transport.outgoing import Pacer
from app.bot.transport.picture_downloads import PictureDownloads
from app.bot.transport.poller import Poller, wait_for_telegram
from app.bot.transport.response_models import KeptResponseModels
from app.bot.ui.i18n import load_i18n
from app.decoding.clips import ClipProber
from app.decoding.pool import DecoderPool
from app.jobs.model import StyleChoice
from app.jobs.remote_engines import RemoteEngines, follow_engines
from app.jobs.running.clips import Engine
from app.jobs.running.painter import plain_style
from app.jobs.service import LocalJobService
from app.jobs.store import JobStore
from app.limits import clip_limits, clip_size_px, job_limits, rate_limits, usual_options
from app.monitoring.health import GpuMemory, Health
from app.monitoring.heartbeat import beat, keep_touching
from app.monitoring.metrics import serving_metrics
from app.settings import Settings
from app.storage.disk_room import DiskRoom
from app.storage.folders import Folders
from app.storage.lock import FolderLock
from models.interface import Style
from styles.catalog import Catalog, default_catalog

logger = logging.getLogger(__name__)
T = TypeVar("T")

HANDLERS_MAY_TAKE_S: Final = 3.0
JOBS_MAY_TAKE_S: Final = 5.0
"""Together less than the ten seconds that supervisors grant."""

LoadStylizers = Callable[[Settings], Mapping[str, Engine]]
"""An engine for each device, by torch's name. Blocking, may take minutes. Raises EngineError."""


@dataclass(frozen=True, slots=True)
class _Texts:
    """What the bot has to say, and the styles that it speaks of."""

    i18n: I18n
    catalog: Catalog
    captions: Captions

    @classmethod
    def load(cls, settings: Settings) -> Self:
        """Blocking."""
        catalog = default_catalog(settings.styles_dir)
        return cls(load_i18n(), catalog, Captions(catalog, usual_options(settings)))


class Application:
    """Everything with a lifetime, in the order in which it is built; it is left in reverse."""

    def __init__(
        self,
        settings: Settings,
        token: str,
        *,
        load_stylizers: LoadStylizers,
        remote_engines: RemoteEngines | None = None,
        gpu_memory: GpuMemory = lambda _: None,
        on_beat: Callable[[], None] = lambda: None,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        """`remote_engines` come beside what `load_stylizers` loads, which may be none then.

        `on_beat` is called every few seconds while the loop runs, `on_ready` once it polls.
        """
        self._settings = settings
        self._token = token
        self._load_stylizers = load_stylizers
        self._remote_engines = remote_engines
        self._gpu_memory = gpu_memory
        self._on_beat = on_beat
        self._on_ready = on_ready
        self._folders = Folders(settings.data_dir)
        self.has_stuck_thread = False

    async def run(self) -> None:
        """Build everything, work until cancelled, and tidy up.

        Raises one of `WRONG_TOKEN`, EngineError, CannotRunError, WorkerMustEnd, OSError.
        """
        async with AsyncExitStack() as stack:
            # First of all: waiting for a network is no reason to be taken for dead.
            stack.callback(asyncio.create_task(beat(self._on_beat)).cancel)
            await self._hold_folder(stack)
            texts = await asyncio.to_thread(_Texts.load, self._settings)
            pacer = Pacer(limits=rate_limits(self._settings))
            bot = await self._connect(stack, pacer)
            store = await JobStore.open(self._settings.data_dir, bot_id=bot.id)
            stack.push_async_callback(store.close)
            stores = await ChatStores.open(
                stack, self._folders, bot_id=bot.id, defaults=usual_options(self._settings)
            )
            reporter = self._reporter(bot, store, pacer, texts, stores.preferences)
            stack.push_async_callback(reporter.close)
            job_service = await self._make_job_service(stack, store, reporter, texts.catalog)
            downloads = self._downloads(stack, bot, job_service.disk_room)
            pictures = IncomingPictures(downloads, stores.borrowed)
            dispatcher = await self._make_dispatcher(
                stack, bot, texts, stores, pictures, job_service
            )
            poller = Poller(bot, dispatcher, stores.inbox)
            personal_data = _personal_data(store, stores, downloads, poller, job_service)
            dispatcher["personal_data"] = personal_data
            await publish_commands(bot, texts.i18n)
            # Before anything of theirs is painted, delivered or answered.
            interrupted = await personal_data.resume()
            forgotten = asyncio.create_task(tell_all(interrupted, bot, texts.i18n))
            stack.callback(forgotten.cancel)
            await job_service.start()
            stack.push_async_callback(poller.close, HANDLERS_MAY_TAKE_S)
            self._on_ready()
            await _first_to_end(
                poller.run(),
                job_service.ended(),
                self._follow_engines(job_service),
                tidy(partial(resume_and_tell, personal_data, bot, texts.i18n), *stores.tidied),
                store.repository.damaged(),
                stores.chats.damaged(),
                stores.preferences.damaged(),
            )

    async def _hold_folder(self, stack: AsyncExitStack) -> None:
        """Work with the data folder alone, and show in it that its holder is alive."""
        await asyncio.to_thread(self._folders.make)
        lock = await asyncio.to_thread(FolderLock.acquire, self._folders.lock)
        stack.callback(lock.release)
        touching = asyncio.create_task(keep_touching(self._settings.heartbeat_path))
        stack.callback(touching.cancel)

    async def _connect(self, stack: AsyncExitStack, pacer: Pacer) -> Bot:
        """The bot, once Telegram has answered it."""
        server = api_server(self._settings)
        session = AiohttpSession(api=server)
        session.middleware(KeptResponseModels())
        session.middleware(IgnoreExpiredAnswers())
        session.middleware(pacer)
        stack.push_async_callback(session.close)
        bot = Bot(self._token, session, DefaultBotProperties(parse_mode=ParseMode.HTML))
        me = await wait_for_telegram(bot)
        logger.info("hello, I am @%s", me.username, extra={"bot": me.id})
        return bot

    def _reporter(
        self,
        bot: Bot,
        store: JobStore,
        pacer: Pacer,
        texts: _Texts,
        preferences: PreferencesRepository,
    ) -> ChatReporter:
        return ChatReporter(
            bot,
            status_messages=store.repository,
            i18n=texts.i18n,
            catalog=texts.catalog,
            captions=texts.captions,
            pacer=pacer,
            pace=Pace(
                private_s=self._settings.private_edit_every_s,
                group_s=self._settings.group_edit_every_s,
            ),
            admin_ids=self._settings.admin_ids,
            language_of=preferences.language,
        )

    async def _make_job_service(
        self, stack: AsyncExitStack, store: JobStore, reporter: ChatReporter, catalog: Catalog
    ) -> LocalJobService:
        """The jobs and their engines; nothing is painted yet."""
        if self._remote_engines is not None:
            stack.callback(self._remote_engines.close)
        job_service = LocalJobService(
            store,
            stylizers=await self._load(partial(self._load_stylizers, self._settings)),
            engines_return=self._remote_engines is not None,
            reporter=reporter,
            limits=job_limits(self._settings),
            style_of=partial(_style_of, catalog),
        )
        stack.push_async_callback(self._drain, job_service)
        return job_service

    async def _follow_engines(self, job_service: LocalJobService) -> None:
        if self._remote_engines is None:
            await asyncio.Event().wait()
        else:
            await follow_engines(self._remote_engines, job_service, self._load)

    async def _load(self, load: Callable[[], T]) -> T:
        # Not in the loop's own threads: ending the loop would wait for a long download.
        loader = ThreadPoolExecutor(1, thread_name_prefix="loader")
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(loader, load)
        except asyncio.CancelledError:
            self.has_stuck_thread = True
            raise
        finally:
            loader.shutdown(wait=False)

    async def _make_dispatcher(
        self,
        stack: AsyncExitStack,
        bot: Bot,
        texts: _Texts,
        stores: ChatStores,
        pictures: IncomingPictures,
        job_service: LocalJobService,
    ) -> Dispatcher:
        extras = Extras(bot, texts.captions)
        stack.push_async_callback(extras.close)
        return make_dispatcher(
            administrators=Administrators(bot),
            settings=self._settings,
            storage=stores.conversations,
            job_service=job_service,
            preferences=stores.preferences,
            incoming_pictures=pictures,
            catalog=texts.catalog,
            i18n=texts.i18n,
            clip_size_px=partial(clip_size_px, self._settings, job_service),
            extras=extras,
            captions=texts.captions,
            health=await self._watch(stack, job_service),
        )

    def _downloads(self, stack: AsyncExitStack, bot: Bot, room: DiskRoom) -> PictureDownloads:
        decoders, prober = DecoderPool(), ClipProber()
        stack.push_async_callback(decoders.close)
        stack.callback(self._end_without, prober)
        return PictureDownloads(
            bot,
            self._folders.originals,
            decoders=decoders,
            room=room,
            prober=prober,
            clip_limits=clip_limits(self._settings),
            max_mb_per_person=self._settings.disk_quota_per_user_mb,
        )

    async def _watch(self, stack: AsyncExitStack, job_service: LocalJobService) -> Health:
        health = Health(job_service, data_dir=self._settings.data_dir, gpu_memory=self._gpu_memory)
        if self._settings.metrics_port is not None:
            await stack.enter_async_context(serving_metrics(health, self._settings.metrics_port))
        return health

    async def _drain(self, job_service: LocalJobService) -> None:
        if not await job_service.drain(JOBS_MAY_TAKE_S):
            self.has_stuck_thread = True

    def _end_without(self, prober: ClipProber) -> None:
        """A clip that takes long to look at holds up no end; its process ends by itself."""
        if prober.is_busy:
            self.has_stuck_thread = True


def _personal_data(
    store: JobStore,
    stores: ChatStores,
    downloads: PictureDownloads,
    poller: Poller,
    job_service: LocalJobService,
) -> PersonalData:
    """Every place that a person may have left something in."""
    return PersonalData(
        chats=stores.chats,
        conversations=poller,
        job_service=job_service,
        borrowed=stores.borrowed,
        stores=(downloads, stores.preferences, stores.conversations, stores.inbox),
        wipes=(store.repository.wipe, stores.preferences.wipe, stores.chats.wipe),
    )


def _style_of(catalog: Catalog, choice: StyleChoice) -> Style:
    """A job's style with the recipe of its preset, if that is still one."""
    preset = catalog.get(choice.preset) if choice.preset else None
    style = plain_style(choice)
    return replace(style, recipe=preset.recipe) if preset else style


async def _first_to_end(*works: Coroutine[Any, Any, None]) -> None:
    """Run all until one of them ends, which none does of its own accord; end the others."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
