"""A data folder as the bot has it, with photos and job services for tests."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from PIL import Image

from app.jobs.limits import JobLimits
from app.jobs.model import Delivery, Job, JobRequest, StyleChoice
from app.jobs.running.clips import Engine
from app.jobs.service import LocalJobService
from app.jobs.store import JobStore
from app.storage.folders import Folders
from models.interface import Quality, StyleOptions
from tests.app.jobs.job_limits import make_limits
from tests.app.jobs.recording_reporter import RecordingReporter
from tests.app.jobs.stub_stylizers import Inverter

BOT_ID = 42


class DataFolder:
    """A data folder with photos in it, and job services that open on it one after the other."""

    def __init__(self, root: Path) -> None:
        self.folders = Folders(root)
        self.folders.make()
        self.preset = root / "preset.png"
        Image.new("RGB", (32, 32), "gold").save(self.preset)
        self.deadly = root / "deadly"
        self._photos = itertools.count(1)
        self._updates = itertools.count(1)

    def photo(self, name: str | None = None) -> Path:
        number = next(self._photos)
        path = self.folders.originals / (name or f"photo{number}.png")
        Image.new("RGB", (48, 36), (number % 256, 80, 120)).save(path)
        return path

    def request(
        self,
        user_id: int = 1,
        *,
        origin: str | None = None,
        content: Path | None = None,
        style: StyleChoice | None = None,
        delivery: Delivery = Delivery.PHOTO,
        album: str | None = None,
        quality: Quality = Quality.STANDARD,
        size_px: int = 512,
        chat_id: int | None = None,
    ) -> JobRequest:
        return JobRequest(
            origin=origin or f"update:{next(self._updates)}",
            user_id=user_id,
            chat_id=chat_id or user_id,
            language="en",
            content=content or self.photo(),
            styles=(style or StyleChoice(self.preset, "gold"),),
            options=StyleOptions(quality=quality, size_px=size_px),
            delivery=delivery,
            album=album,
        )

    @contextlib.asynccontextmanager
    async def job_service(
        self,
        reporter: RecordingReporter,
        stylizers: Engine | Mapping[str, Engine] | None = None,
        *,
        limits: JobLimits | None = None,
        start: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> AsyncIterator[LocalJobService]:
        """Without any stylizers engines come later, by `add_engine`."""
        store = await JobStore.open(self.folders.root, bot_id=BOT_ID)
        job_service = LocalJobService(
            store,
            stylizers=stylizers
            if isinstance(stylizers, Mapping)
            else {"cpu": stylizers or Inverter()},
            reporter=reporter,
            limits=limits or make_limits(first_retry_s=0.01),
            engines_return=stylizers == {},
            clock=clock,
        )
        try:
            if start:
                await job_service.start()
            yield job_service
        finally:
            await job_service.drain(5)
            await store.close()


def make_job(job_id: int, user_id: int = 1) -> Job:
    """A waiting job of which no file exists."""
    photo = Path("photo.png")
    request = JobRequest(
        origin=f"update:{job_id}",
        user_id=user_id,
        chat_id=user_id,
        language="en",
        content=photo,
        styles=(StyleChoice(photo),),
        options=StyleOptions(),
    )
    return Job(id=job_id, request=request, created_at=0.0)
