"""Engines in a real Ray cluster of two nodes on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.commands.doctor import examine
from app.engine import load_engine, remote_engines
from app.jobs.interface import WorkerState
from app.jobs.limits import JobLimits
from app.jobs.model import Clip, Delivery, Failure, Job, JobRequest, JobState
from app.jobs.remote_engines import follow_engines
from app.jobs.service import LocalJobService
from app.settings import Settings
from models.clips.interface import ClipKind, ClipNote
from models.interface import DeviceSettingError, Quality
from models.remote.engines import RemoteEngines
from models.remote.link import COMMAND
from models.weights_cache import read_vgg16
from tests.app.jobs.data_folder import DataFolder
from tests.app.jobs.job_limits import make_limits
from tests.app.jobs.recording_reporter import RecordingReporter
from tests.clip_files import facts_of, mp4
from tests.models.vgg16_weights import keep_random_vgg16
from tests.patience import PATIENCE_S
from tests.ray_cluster import ENVIRONMENT, RayCluster, free_port, need_ray, ray_cluster
from tests.troubled_painter import HUNGRY_PX, SILENT_PX

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "styles" / "samples" / "face.jpg"
NAMES = ["127.0.0.1/cpu:0", "127.0.0.1/cpu:1"]

TROUBLED = (sys.executable, "-m", "tests.troubled_painter")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def cluster(environment: None) -> Iterator[RayCluster]:
    with ray_cluster() as cluster:
        yield cluster


@pytest.fixture
def data_folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


@pytest.fixture
def reporter() -> RecordingReporter:
    return RecordingReporter()


def settings(address: str | None, **others: Any) -> Settings:
    return Settings(_env_file=None, ray_address=address, **{"encoder": "slim", **others})


@contextlib.asynccontextmanager
async def job_service_on(
    address: str,
    data_folder: DataFolder,
    reporter: RecordingReporter,
    *,
    command: tuple[str, ...] = COMMAND,
    limits: JobLimits | None = None,
    **others: Any,
) -> AsyncIterator[LocalJobService]:
    """As the bot has it with RAY_ADDRESS, and `others` of its settings."""
    remote = remote_engines(settings(address, **others))
    assert remote is not None
    remote = RemoteEngines(remote.order, command=command)
    async with data_folder.job_service(reporter, {}, limits=limits) as job_service:
        following = asyncio.create_task(follow_engines(remote, job_service, asyncio.to_thread))
        try:
            yield job_service
        finally:
            following.cancel()
            remote.close()
            await asyncio.gather(following, return_exceptions=True)


async def until_at_work(job_service: LocalJobService, *names: str) -> None:
    async with asyncio.timeout(3 * PATIENCE_S):  # each imports torch
        while at_work(job_service) != {*names}:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.1)


def at_work(job_service: LocalJobService) -> set[str]:
    return {each.device for each in job_service.workers if each.state.is_at_work}


def order(
    data_folder: DataFolder, user_id: int, *, size_px: int = 64, steps: int = 6
) -> JobRequest:
    """A photo for a painting whose file is lossless."""
    request = data_folder.request(
        user_id,
        content=SAMPLE,
        quality=Quality.STANDARD,
        size_px=size_px,
        delivery=Delivery.FILE,
    )
    return replace(request, options=replace(request.options, steps=steps))


async def test_both_machines_paint_and_bit_for_bit_what_a_local_engine_paints(
    cluster: RayCluster, data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    import torch

    findings = [str(each) for each in await asyncio.to_thread(list, examine(settings("auto")))]
    assert [line for line in findings if "Ray" in line] == [
        f"   ok  painting on {name}, in the Ray cluster" for name in NAMES
    ]
    async with job_service_on(cluster.address, data_folder, reporter) as job_service:
        await until_at_work(job_service, *NAMES)
        remotely = await painted(data_folder, reporter, job_service)
        assert all(worker.painted for worker in (await job_service.stats()).workers)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        local = load_engine(settings(None, device="cpu"))
        async with data_folder.job_service(reporter, {"cpu": local}) as job_service:
            assert await painted(data_folder, reporter, job_service) == remotely
    finally:
        torch.set_num_threads(threads)


async def painted(
    data_folder: DataFolder, reporter: RecordingReporter, job_service: LocalJobService
) -> list[bytes]:
    jobs = await job_service.submit(*(order(data_folder, user_id) for user_id in range(4)))
    await reporter.until_heard("delivered", *jobs)
    done = [await job_service.get(job.id) for job in jobs]
    assert all(reporter.steps[job.id][-1] == 6 for job in jobs)
    return [job.result.read_bytes() for job in done if job is not None and job.result is not None]


async def test_stop_and_cancel_reach_the_machine_that_paints(
    cluster: RayCluster, data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    async with job_service_on(cluster.address, data_folder, reporter) as job_service:
        await until_at_work(job_service, *NAMES)
        for_ever = (order(data_folder, user_id, steps=10_000) for user_id in (1, 2))
        stopped, cancelled = await job_service.submit(*for_ever)
        await reporter.until_heard("stepped", stopped, cancelled)
        assert await job_service.stop(stopped.id, user_id=1)
        assert await job_service.cancel(cancelled.id, user_id=2)
        await reporter.until_heard("delivered", stopped)
        later = await job_service.submit(*(order(data_folder, user_id) for user_id in (3, 4, 5)))
        await reporter.until_heard("delivered", *later)
        workers = (await job_service.stats()).workers
        gone = await job_service.get(cancelled.id)
    assert gone is not None
    assert gone.state is JobState.CANCELLED
    assert sum(worker.painted for worker in workers) == 4
    assert not reporter.ended_workers


async def test_a_machine_that_is_killed_in_mid_job_loses_nothing(
    cluster: RayCluster, data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    async with job_service_on(cluster.address, data_folder, reporter) as job_service:
        await until_at_work(job_service, *NAMES)
        jobs: list[Job] = await job_service.submit(
            *(order(data_folder, user_id, size_px=128, steps=30) for user_id in range(3))
        )
        await reporter.until_heard("stepped", *jobs[:2])
        await asyncio.to_thread(cluster.kill_second)
        await reporter.until_heard("delivered", *jobs)
        (lost,) = reporter.of("worker ended")
        done = [await job_service.get(job.id) for job in jobs]
        states = [worker.state for worker in (await job_service.stats()).workers]
    assert sorted(reporter.of("delivered")) == sorted(job.id for job in jobs)
    assert {job.id: job.attempts for job in done if job} == {
        job.id: 2 if job.id == lost else 1 for job in jobs
    }
    assert sorted(states) == [WorkerState.IDLE, WorkerState.LOST]


def clip_order(data_folder: DataFolder, user_id: int, *, frames: int = 8) -> JobRequest:
    """A video with sound."""
    content = data_folder.folders.originals / f"clip{user_id}.mp4"
    content.write_bytes(mp4(frames, (96, 72), sound=True))
    about = Clip(kind=ClipKind.VIDEO, frames=frames, seconds=frames / 10, width_px=96, height_px=72)
    return replace(order(data_folder, user_id, size_px=96), content=content, clip=about)


async def test_a_clip_comes_back_as_a_local_engine_paints_it(
    cluster: RayCluster, data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    request = clip_order(data_folder, 1)
    async with job_service_on(cluster.address, data_folder, reporter) as job_service:
        remotely = await result_of(request, job_service, reporter)
        assert reporter.steps[1] == [*range(1, 9)]
    local = load_engine(settings(None, device="cpu"))
    async with data_folder.job_service(reporter, {"cpu": local}) as job_service:
        again = replace(request, origin="again")
        assert await result_of(again, job_service, reporter) == remotely
    assert facts_of(remotely) == (8, True)


async def result_of(
    request: JobRequest, job_service: LocalJobService, reporter: RecordingReporter
) -> bytes:
    (job,) = await job_service.submit(request)
    await reporter.until_heard("delivered", job)
    done = await job_service.get(job.id)
    assert done is not None
    assert done.result is not None
    return await asyncio.to_thread(done.result.read_bytes)


async def test_a_clip_on_another_machine_lets_a_photo_in_and_is_stopped_and_cancelled(
    cluster: RayCluster, data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    await asyncio.to_thread(cluster.kill_second)
    async with job_service_on(cluster.address, data_folder, reporter) as job_service:
        (clip,) = await job_service.submit(clip_order(data_folder, 1, frames=150))
        await reporter.until_heard("stepped", clip)
        (photo,) = await job_service.submit(order(data_folder, 2))
        await reporter.until_heard("delivered", photo)
        assert clip.id not in reporter.of("delivered")
        assert await job_service.stop(clip.id, user_id=1)
        await reporter.until_heard("delivered", clip)
        stopped = await job_service.get(clip.id)
        (unwanted,) = await job_service.submit(clip_order(data_folder, 3, frames=150))
        await reporter.until_heard("stepped", unwanted)
        assert await job_service.cancel(unwanted.id, user_id=3)
        (later,) = await job_service.submit(order(data_folder, 4))
        await reporter.until_heard("delivered", later)
    assert stopped is not None
    assert stopped.result is not None
    assert stopped.notes == {ClipNote.STOPPED}
    assert stopped.attempts == 1
    frames, has_sound = facts_of(await asyncio.to_thread(stopped.result.read_bytes))
    assert 0 < frames < 150
    assert has_sound
    left = {path.name for path in data_folder.folders.results.iterdir()}
    assert left >= {stopped.result.name}
    assert not any(name.startswith((f"{unwanted.id}.", ".")) for name in left)


async def test_painters_that_are_killed_are_started_anew(
    cluster: RayCluster, data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    async with job_service_on(cluster.address, data_folder, reporter) as job_service:
        await until_at_work(job_service, *NAMES)
        (job,) = await job_service.submit(order(data_folder, 1, size_px=128, steps=30))
        await reporter.until_heard("stepped", job)
        assert await asyncio.to_thread(cluster.kill_painters) == 2
        await reporter.until_heard("delivered", job)
        await until_at_work(job_service, *NAMES)
        done = await job_service.get(job.id)
        later = await job_service.submit(*(order(data_folder, user_id) for user_id in range(4)))
        await reporter.until_heard("delivered", *later)
    assert done is not None
    assert done.attempts == 2
    assert [state for _, state, _ in reporter.ended_workers] == [WorkerState.LOST]


async def test_a_picture_that_takes_all_memory_is_told_so_and_the_others_are_painted(
    environment: None,
    data_folder: DataFolder,
    reporter: RecordingReporter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    need_ray()
    total, free = memory_kib()
    threshold = total - free + 2_500_000
    if threshold + 5_000_000 > total:
        pytest.skip("this machine has not enough memory free to run out of it safely")
    monkeypatch.setenv("RAY_memory_usage_threshold", str(threshold / total))
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "100")
    limits = make_limits(first_retry_s=0.01, max_attempts=2)
    with ray_cluster() as cluster:
        async with job_service_on(
            cluster.address, data_folder, reporter, command=TROUBLED, limits=limits
        ) as job_service:
            await until_at_work(job_service, *NAMES)
            (hungry,) = await job_service.submit(order(data_folder, 1, size_px=HUNGRY_PX))
            others = await job_service.submit(*(order(data_folder, n) for n in range(2, 6)))
            await reporter.until_heard("delivered", *others)
            await reporter.until_heard("failed", hungry)
            await until_at_work(job_service, *NAMES)
            aside = await job_service.get(hungry.id)
    assert reporter.failures == {hungry.id: Failure.OUT_OF_MEMORY}
    assert aside is not None
    assert (aside.state, aside.attempts) == (JobState.SET_ASIDE, 2)


async def test_painters_that_hang_are_started_anew(
    cluster: RayCluster, data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    limits = make_limits(first_retry_s=0.01, max_attempts=2, watchdog_s=8.0)
    async with job_service_on(
        cluster.address, data_folder, reporter, command=TROUBLED, limits=limits
    ) as job_service:
        await until_at_work(job_service, *NAMES)
        (silent,) = await job_service.submit(order(data_folder, 1, size_px=SILENT_PX))
        await reporter.until_heard("failed", silent)
        await until_at_work(job_service, *NAMES)
        (later,) = await job_service.submit(order(data_folder, 1))
        await reporter.until_heard("delivered", later)
    assert reporter.failures == {silent.id: Failure.HUNG}
    assert [state for _, state, _ in reporter.ended_workers] == [WorkerState.HUNG] * 2


def memory_kib() -> tuple[int, int]:
    """All of this machine, and what is free of it."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    memory = {name: int(value) for name, value, *_ in lines}
    return memory["MemTotal:"], memory["MemAvailable:"]


async def test_a_cluster_that_is_away_is_waited_for_and_costs_no_attempt(
    environment: None, data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    need_ray()
    port = free_port()
    address = f"127.0.0.1:{port}"
    async with job_service_on(address, data_folder, reporter) as job_service:
        working = asyncio.create_task(job_service.ended())
        await reporter.until(lambda: reporter.pauses == ["paused"])
        assert job_service.is_paused
        (early,) = await job_service.submit(order(data_folder, 1))
        with ray_cluster(port) as cluster:
            await reporter.until_heard("delivered", early)
            await until_at_work(job_service, *NAMES)
            for_ever = [order(data_folder, user_id, steps=10_000) for user_id in range(3)]
            jobs = await job_service.submit(*for_ever)
            await reporter.until_heard("stepped", *jobs[:2])
            await asyncio.to_thread(cluster.kill_first)
            await reporter.until(lambda: len(reporter.pauses) == 3)
            # Where all of them see it: in the status message, and by their place in the queue.
            await reporter.until(lambda: {place for _, place in reporter.places[-3:]} == {1, 2, 3})
            assert job_service.is_paused
        reporter.events.clear()
        with ray_cluster(port):
            for user_id, job in enumerate(jobs):
                await reporter.until_heard("stepped", job)
                assert await job_service.stop(job.id, user_id)
            await reporter.until_heard("delivered", *jobs)
            done = [await job_service.get(job.id) for job in jobs]
        assert not working.done()
        working.cancel()
    assert [each.split()[0] for each in reporter.pauses[:4]] == ["paused", "resumed"] * 2
    assert [job.attempts for job in done if job] == [1, 1, 1]
    assert not reporter.ended_workers


async def test_machines_have_vgg16_from_the_bot_and_need_no_network(
    environment: None, data_folder: DataFolder, reporter: RecordingReporter, tmp_path: Path
) -> None:
    need_ray()
    bot = settings("127.0.0.1:1", data_dir=tmp_path / "bot")
    await asyncio.to_thread(keep_random_vgg16, bot.cache_dir)
    folders = [tmp_path / "first", tmp_path / "second"]
    nowhere = {"https_proxy": f"http://127.0.0.1:{free_port()}"}
    with ray_cluster(environments=[{"DATA_DIR": str(each)} | nowhere for each in folders]) as ray:
        async with job_service_on(
            ray.address, data_folder, reporter, encoder="vgg16", data_dir=bot.data_dir
        ) as job_service:
            await until_at_work(job_service, *NAMES)
            (job,) = await job_service.submit(order(data_folder, 1))
            await reporter.until_heard("delivered", job)
    sent = read_vgg16(bot.cache_dir)
    assert [read_vgg16(folder / "cache") == sent for folder in folders] == [True, True]


async def test_another_version_of_the_project_is_refused_in_one_sentence(
    cluster: RayCluster,
    data_folder: DataFolder,
    reporter: RecordingReporter,
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = (
        "import models.remote.cluster as cluster; from models.remote.driver import main;"
        "cluster.project_digest = lambda: '0123456789ab'; main()"
    )
    command = (sys.executable, "-c", other)
    async with job_service_on(cluster.address, data_folder, reporter, command=command):
        await reporter.until(lambda: reporter.pauses == ["paused"])
    assert re.search(r"No engine on 127.*not 0123456789ab\): bring both", caplog.text)


def test_a_cluster_that_is_away_is_said_in_one_sentence() -> None:
    need_ray()
    address = f"127.0.0.1:{free_port()}"
    remote = remote_engines(settings(address))
    assert remote is not None
    try:
        changes = remote.look()
    finally:
        remote.close()
    assert changes.why_none is not None
    assert changes.why_none.startswith(f"No Ray cluster answers at {address}")


def test_without_ray_nothing_is_painted_here_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(DeviceSettingError, match="Ray is not installed"):
        remote_engines(settings("10.0.0.1:6379"))
    (line,) = (str(each) for each in examine(settings("auto")) if "Ray" in str(each))
    assert line.startswith("  BAD  RAY_ADDRESS is set, but Ray is not installed: pip install")


def test_single_gpus_of_this_machine_are_refused_at_once() -> None:
    need_ray()
    with pytest.raises(DeviceSettingError, match="it is auto, cpu or cuda"):
        remote_engines(settings("10.0.0.1:6379", device="cuda:0"))
