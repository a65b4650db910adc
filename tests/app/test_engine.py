"""Engines in a real Ray cluster of two nodes on loopback."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.commands.doctor import examine
from app.engine import load_engine, load_engines
from app.jobs.interface import WorkerState
from app.jobs.model import Delivery, Job, JobRequest, JobState
from app.jobs.running.clips import Engine
from app.settings import Settings
from models.interface import DeviceSettingError, EngineError, Quality
from tests.app.jobs.data_folder import DataFolder
from tests.app.jobs.recording_reporter import RecordingReporter
from tests.ray_cluster import ENVIRONMENT, RayCluster, free_port, need_ray, ray_cluster

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "styles" / "samples" / "face.jpg"
NAMES = ["127.0.0.1/cpu:0", "127.0.0.1/cpu:1"]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[RayCluster]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with ray_cluster() as cluster:
        yield cluster


@pytest.fixture
def data_folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


@pytest.fixture
def reporter() -> RecordingReporter:
    return RecordingReporter()


def settings(address: str | None, **others: Any) -> Settings:
    return Settings(_env_file=None, ray_address=address, encoder="slim", **others)


async def engines_of(cluster: RayCluster) -> Mapping[str, Engine]:
    """As the bot loads them: in a thread, so that Ray leaves its signals alone."""
    return await asyncio.to_thread(load_engines, settings(cluster.address))


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
    engines = await engines_of(cluster)
    assert list(engines) == NAMES
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        local = load_engine(settings(None, device="cpu"))
        remotely = await painted(data_folder, reporter, engines)
        assert await painted(data_folder, reporter, {"cpu": local}) == remotely
    finally:
        torch.set_num_threads(threads)


async def painted(
    data_folder: DataFolder, reporter: RecordingReporter, engines: Mapping[str, Engine]
) -> list[bytes]:
    async with data_folder.job_service(reporter, engines) as job_service:
        jobs = await job_service.submit(*(order(data_folder, user_id) for user_id in range(4)))
        await reporter.until_heard("delivered", *jobs)
        assert all(worker.painted for worker in (await job_service.stats()).workers)
        done = [await job_service.get(job.id) for job in jobs]
    assert all(reporter.steps[job.id][-1] == 6 for job in jobs)
    return [job.result.read_bytes() for job in done if job is not None and job.result is not None]


async def test_stop_and_cancel_reach_the_machine_that_paints(
    cluster: RayCluster, data_folder: DataFolder, reporter: RecordingReporter
) -> None:
    engines = await engines_of(cluster)
    async with data_folder.job_service(reporter, engines) as job_service:
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
    engines = await engines_of(cluster)
    async with data_folder.job_service(reporter, engines) as job_service:
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


async def test_another_version_of_the_project_is_refused_in_one_sentence(
    cluster: RayCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.remote.cluster.project_digest", lambda: "0123456789ab")
    with pytest.raises(EngineError, match=r"No engine on 127.*not 0123456789ab\): bring both"):
        await engines_of(cluster)


def test_a_cluster_that_is_away_is_said_in_one_sentence() -> None:
    need_ray()
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(EngineError, match=f"No Ray cluster answers at {address}"):
        load_engines(settings(address))


def test_without_ray_nothing_is_painted_here_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(DeviceSettingError, match="Ray is not installed"):
        load_engines(settings("10.0.0.1:6379"))
    (line,) = (str(each) for each in examine(settings("auto")) if "Ray" in str(each))
    assert line.startswith("  BAD  RAY_ADDRESS is set, but Ray is not installed: pip install")
