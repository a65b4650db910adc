import asyncio
import os
import threading
import time
from pathlib import Path

from app.jobs.limits import StudioLimits
from app.jobs.store import JobStore
from app.jobs.sweeper import Sweeper
from tests.app.jobs.engines import Inverter
from tests.app.jobs.house import BOT_ID, House
from tests.app.jobs.listeners import Listener

HOUR_S = 3600.0


def grow_old(path: Path, hours: float) -> Path:
    then = time.time() - hours * HOUR_S
    os.utime(path, (then, then))
    return path


def fill(path: Path, size_bytes: int, *, hours_old: float) -> Path:
    path.write_bytes(bytes(size_bytes))
    return grow_old(path, hours_old)


async def sweep(
    house: House, *, keep_hours: float = 24.0, quota_mb: float = 1000.0, later_hours: float = 0.0
) -> int:
    store = await JobStore.open(house.folders.database, bot_id=BOT_ID)
    try:
        sweeper = Sweeper(
            store=store,
            folders=house.folders,
            limits=StudioLimits(
                keep_pictures_hours=keep_hours, keep_rows_hours=48.0, disk_quota_mb=quota_mb
            ),
            clock=lambda: time.time() + later_hours * HOUR_S,
        )
        return await sweeper.sweep()
    finally:
        await store.close()


async def test_pictures_go_when_their_time_is_over(house: House) -> None:
    old = grow_old(house.photo(), 25)
    young = grow_old(house.photo(), 23)
    old_result = fill(house.folders.results / "7.jpg", 10, hours_old=25)
    half_written = fill(house.folders.results / "8.jpg.part", 10, hours_old=25)
    assert await sweep(house) == 3
    assert young.exists()
    assert not any(path.exists() for path in (old, old_result, half_written))
    assert house.preset.exists()


async def test_pictures_of_open_jobs_stay_whatever_their_age(
    house: House, listener: Listener
) -> None:
    engine = Inverter(gate=threading.Semaphore(0))
    async with house.studio(listener, engine) as studio:
        running, waiting = await studio.submit(house.request(), house.request())
        await listener.until_heard("started", running)
        for job in (running, waiting):
            grow_old(job.request.content, 100)
        assert await sweep(house, quota_mb=0.0) == 0
    async with house.studio(listener):
        await listener.until_heard("delivered", running, waiting)


async def test_quota_takes_the_oldest_finished_pictures_first(house: House) -> None:
    oldest = fill(house.folders.originals / "a.jpg", 400_000, hours_old=5)
    older = fill(house.folders.results / "1.jpg", 400_000, hours_old=4)
    newer = fill(house.folders.results / "2.jpg", 400_000, hours_old=3)
    newest = fill(house.folders.originals / "b.jpg", 400_000, hours_old=2)
    assert await sweep(house, quota_mb=1.0) == 2
    assert [path.exists() for path in (oldest, older, newer, newest)] == [False, False, True, True]


async def test_quota_leaves_the_photos_of_conversations_alone(house: House) -> None:
    fresh = house.photo()
    assert await sweep(house, quota_mb=0.0) == 0
    assert fresh.exists()


async def test_rows_go_later_than_pictures(house: House, listener: Listener) -> None:
    async with house.studio(listener) as studio:
        (job,) = await studio.submit(house.request())
        await listener.until_heard("delivered", job)
    await sweep(house, later_hours=47)
    async with house.studio(listener) as studio:
        assert await studio.get(job.id) is not None
    await sweep(house, later_hours=49)
    async with house.studio(listener) as studio:
        assert await studio.get(job.id) is None


async def test_running_studio_sweeps_by_itself(house: House, listener: Listener) -> None:
    old = grow_old(house.photo(), 2)
    limits = StudioLimits(keep_pictures_hours=1.0, sweep_every_s=0.01)
    async with house.studio(listener, limits=limits) as studio:
        async with asyncio.timeout(10):
            while (await studio.stats()).disk_bytes > 0:
                pass
    assert not old.exists()
