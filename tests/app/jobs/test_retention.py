import asyncio
import os
import threading
import time
from pathlib import Path

from app.jobs.repository import JobRepository
from app.jobs.retention import PictureRetention
from tests.app.jobs.data_folder import BOT_ID, DataFolder
from tests.app.jobs.job_limits import make_limits
from tests.app.jobs.recording_reporter import RecordingReporter
from tests.app.jobs.stub_stylizers import Inverter
from tests.patience import PATIENCE_S

HOUR_S = 3600.0


def grow_old(path: Path, hours: float) -> Path:
    then = time.time() - hours * HOUR_S
    os.utime(path, (then, then))
    return path


def fill(path: Path, size_bytes: int, *, hours_old: float) -> Path:
    path.write_bytes(bytes(size_bytes))
    return grow_old(path, hours_old)


async def sweep(
    data_folder: DataFolder,
    *,
    keep_hours: float = 24.0,
    quota_mb: float = 1000.0,
    later_hours: float = 0.0,
) -> int:
    repository = await JobRepository.open(data_folder.folders.database, bot_id=BOT_ID)
    try:
        retention = PictureRetention(
            repository=repository,
            folders=data_folder.folders,
            limits=make_limits(
                keep_pictures_hours=keep_hours, keep_rows_hours=48.0, disk_quota_mb=quota_mb
            ),
            clock=lambda: time.time() + later_hours * HOUR_S,
        )
        return await retention.sweep()
    finally:
        await repository.close()


async def test_pictures_go_when_their_time_is_over(data_folder: DataFolder) -> None:
    old = grow_old(data_folder.photo(), 25)
    young = grow_old(data_folder.photo(), 23)
    old_result = fill(data_folder.folders.results / "7.jpg", 10, hours_old=25)
    old_frames = fill(data_folder.folders.results / "7.frames.zip", 10, hours_old=25)
    half_written = fill(data_folder.folders.results / "8.jpg.part", 10, hours_old=25)
    assert await sweep(data_folder) == 4
    assert young.exists()
    assert not any(path.exists() for path in (old, old_result, old_frames, half_written))
    assert data_folder.preset.exists()


async def test_pictures_of_open_jobs_stay_whatever_their_age(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    engine = Inverter(gate=threading.Semaphore(0))
    async with data_folder.job_service(reporter, engine) as job_service:
        running, waiting = await job_service.submit(data_folder.request(), data_folder.request())
        await reporter.until_heard("started", running)
        for job in (running, waiting):
            grow_old(job.request.content, 100)
        assert await sweep(data_folder, quota_mb=0.0) == 0
    async with data_folder.job_service(reporter):
        await reporter.until_heard("delivered", running, waiting)


async def test_quota_takes_the_oldest_finished_pictures_first(data_folder: DataFolder) -> None:
    oldest = fill(data_folder.folders.originals / "a.jpg", 400_000, hours_old=5)
    older = fill(data_folder.folders.results / "1.jpg", 400_000, hours_old=4)
    newer = fill(data_folder.folders.results / "2.jpg", 400_000, hours_old=3)
    newest = fill(data_folder.folders.originals / "b.jpg", 400_000, hours_old=2)
    assert await sweep(data_folder, quota_mb=1.0) == 2
    assert [path.exists() for path in (oldest, older, newer, newest)] == [False, False, True, True]


async def test_quota_leaves_the_photos_of_conversations_alone(data_folder: DataFolder) -> None:
    fresh = data_folder.photo()
    assert await sweep(data_folder, quota_mb=0.0) == 0
    assert fresh.exists()


async def test_rows_go_later_than_pictures(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    async with data_folder.job_service(reporter) as job_service:
        (job,) = await job_service.submit(data_folder.request())
        await reporter.until_heard("delivered", job)
    await sweep(data_folder, later_hours=47)
    async with data_folder.job_service(reporter) as job_service:
        assert await job_service.get(job.id) is not None
    await sweep(data_folder, later_hours=49)
    async with data_folder.job_service(reporter) as job_service:
        assert await job_service.get(job.id) is None


async def test_running_service_sweeps_by_itself(
    data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    old = grow_old(data_folder.photo(), 2)
    limits = make_limits(keep_pictures_hours=1.0, sweep_every_s=0.01)
    async with data_folder.job_service(reporter, limits=limits) as job_service:
        async with asyncio.timeout(PATIENCE_S):
            while (await job_service.stats()).disk_bytes > 0:
                pass
    assert not old.exists()
