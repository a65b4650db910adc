"""The real reporter and job service on a sandbox, with a stylizer that waits for cues."""

from __future__ import annotations

import asyncio
import contextlib
import io
import math
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from PIL import Image
from PIL.ImageColor import getrgb

from app.bot.job_message.captions import Captions
from app.bot.job_message.reporter import ChatReporter, Pace
from app.bot.transport.outgoing import Pacer
from app.bot.transport.response_models import KeptResponseModels
from app.bot.ui.i18n import load_i18n
from app.jobs.model import Delivery, Job, JobRequest, JobState, StyleChoice
from app.jobs.service import LocalJobService
from app.jobs.store import JobStore
from app.sandbox.people import Person
from app.sandbox.world import Chat, Message
from models.interface import Note, Painting, StepReport, StyleOptions
from styles.catalog import default_catalog
from tests.app.jobs.job_limits import make_limits
from tests.app.jobs.stub_stylizers import Order, PicturesOnly
from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.patience import PATIENCE_S

T = TypeVar("T")
STEPS = 4
QUICK = Pace(private_s=0.05, group_s=0.05)
GROUP_ID = -1001234567890


@dataclass
class CuedPainter(PicturesOnly):
    """One colour per step; the draft comes at once, each step when it is cued."""

    colors: Sequence[str] = ("navy", "teal", "olive", "maroon", "gold")
    notes: frozenset[Note] = frozenset()
    draws_drafts: bool = True
    """Whether there is a picture with each report."""
    error: Exception | None = None
    """Raised after the last step."""
    cues: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def cue(self, steps: int = STEPS) -> None:
        self.cues.release(steps)

    def paint(self, order: Order) -> Painting:
        step, notes = 0, self.notes
        while True:
            picture = Image.new("RGB", (64, 48), self.colors[step])
            left_s = 10.0 * (STEPS - step)
            report = StepReport(step=step, steps=STEPS, seconds_spent=step, seconds_left=left_s)
            order.on_step(replace(report, picture=picture) if self.draws_drafts else report)
            while not order.stop.is_set() and step < STEPS and not self.cues.acquire(timeout=0.01):
                pass
            if order.stop.is_set() or step == STEPS:
                break
            step += 1
        if self.error is not None:
            raise self.error
        if step < STEPS:
            notes |= {Note.STOPPED}
        return Painting(picture=picture, options=order.options, steps=step, seconds=1, notes=notes)


@dataclass
class ReporterHarness:
    """Everything between a job and the chat it is shown in."""

    sandbox: FaultySandbox
    bot: Bot
    painter: CuedPainter
    root: Path
    pace: Pace = QUICK
    store: JobStore = field(init=False)
    job_service: LocalJobService = field(init=False)
    reporter: ChatReporter = field(init=False)
    count: int = 0
    is_open: bool = True

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, root: Path, *, pace: Pace = QUICK, patience_s: float = 60
    ) -> AsyncIterator[Self]:
        async with FaultySandbox(port=0) as sandbox:
            session = AiohttpSession(api=TelegramAPIServer.from_base(sandbox.api_url))
            session.middleware(KeptResponseModels())
            async with Bot(sandbox.token, session=session) as bot:
                pacer = Pacer(backoff_s=0.01, patience_s=patience_s)
                session.middleware(pacer)
                harness = cls(sandbox, bot, CuedPainter(), root, pace)
                async with harness.running(pacer):
                    yield harness

    @contextlib.asynccontextmanager
    async def running(self, pacer: Pacer) -> AsyncIterator[None]:
        """A running job service; the next one finds what a restart would find."""
        self.is_open = True
        self.store = await JobStore.open(self.root, bot_id=self.bot.id)
        self.reporter = ChatReporter(
            self.bot,
            status_messages=self.store.repository,
            i18n=load_i18n(),
            catalog=default_catalog(),
            captions=Captions(default_catalog(), StyleOptions()),
            pacer=pacer,
            pace=self.pace,
            admin_ids=[self.ben.user.id],
        )
        self.job_service = LocalJobService(
            self.store,
            stylizers={"cpu": self.painter},
            reporter=self.reporter,
            limits=make_limits(first_retry_s=0.05),
        )
        await self.job_service.start()
        try:
            yield
        finally:
            await self.close()

    async def close(self) -> None:
        """Twice is once: some tests end before their harness does."""
        if self.is_open:
            self.is_open = False
            await self.job_service.drain(5)
            await self.reporter.close()
            await self.store.close()

    @property
    def anna(self) -> Person:
        return self.sandbox.people[100001]

    @property
    def ben(self) -> Person:
        return self.sandbox.people[100002]

    def picture(self) -> Path:
        self.count += 1
        path = self.root / "originals" / f"{self.count}.png"
        Image.new("RGB", (64, 48), (self.count, 90, 90)).save(path)
        return path

    def request(self, person: Person | None = None, **changes: Any) -> JobRequest:
        user_id = (person or self.anna).user.id
        request = JobRequest(
            origin=f"test:{self.count}",
            user_id=user_id,
            chat_id=user_id,
            language="en",
            content=self.picture(),
            styles=(StyleChoice(self.picture()),),
            options=StyleOptions(),
            delivery=Delivery.PHOTO,
        )
        return replace(request, **changes)

    async def submit(self, person: Person | None = None, **changes: Any) -> Job:
        (job,) = await self.job_service.submit(self.request(person, **changes))
        return job

    async def message(self, chat: Chat | None = None, *, says: str = "") -> Message:
        """The bot's last message of a chat, once it says that."""

        def found() -> Message | None:
            spoken = self.spoken(chat)
            return spoken[-1] if spoken and says in spoken[-1].text else None

        return await eventually(found)

    async def draft(self, chat: Chat | None = None) -> Message:
        """The bot's last message of a chat, once it has a picture."""
        message = await self.message(chat, says="0 / 4")
        await eventually(lambda: "photo" in message.content)
        return message

    async def delivered(self, job_id: int) -> Job:
        """The job, once Telegram has confirmed its result."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                job = await self.job_service.get(job_id)
                assert job is not None
                if job.state is JobState.DELIVERED:
                    return job
                await asyncio.sleep(0.01)

    def spoken(self, chat: Chat | None = None) -> list[Message]:
        """What the bot has said in a chat and not taken back."""
        messages = (chat or self.anna.chat).messages.values()
        return [message for message in messages if message.sender.is_bot]

    def colors(self, message: Message) -> list[str]:
        """The colours of the pictures that a message has had, the present one last."""
        contents = [*message.versions, message.content]
        sizes = [content["photo"][-1] for content in contents if "photo" in content]
        named = [self._color(size["file_id"]) for size in sizes]
        return [
            color for before, color in zip([None, *named], named, strict=False) if color != before
        ]

    def _color(self, file_id: str) -> str:
        stored = self.sandbox.world.files.get(file_id)
        assert stored is not None
        pixel = Image.open(io.BytesIO(stored.data)).convert("RGB").getpixel((5, 5))
        assert isinstance(pixel, tuple)
        return min(self.painter.colors, key=lambda name: math.dist(getrgb(name), pixel))

    def times(self, method: str, *, ok: bool = True) -> list[float]:
        calls = self.sandbox.world.calls
        return [call.at for call in calls if call.method == method and call.ok is ok]


async def eventually(look: Callable[[], T | None], *, within_s: float = PATIENCE_S) -> T:
    """What `look` finds, as soon as it finds something."""
    async with asyncio.timeout(within_s):
        while not (found := look()):  # noqa: ASYNC110 - what happens outside sets no event here
            await asyncio.sleep(0.01)
    return found
