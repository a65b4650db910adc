"""The same figures for Prometheus, on loopback and only where a port is set."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.errors import CannotRunError, cannot_use
from app.loopback import HOST, only_this_machine
from app.monitoring.health import Health, Report

SHUTDOWN_S = 0.5


@contextlib.asynccontextmanager
async def serving_metrics(health: Health, port: int) -> AsyncIterator[int]:
    """Serve until the block ends; yields the port, which is a free one where 0 was asked for.

    Raises CannotRunError if the port is taken.
    """

    async def answer(_: web.Request) -> web.Response:
        text = await asyncio.to_thread(_exposition, await health.report())
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application(middlewares=[only_this_machine])
    app.add_routes([web.get("/metrics", answer)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            raise CannotRunError(cannot_use(f"METRICS_PORT {port}", error)) from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def _exposition(report: Report) -> bytes:
    """The figures and those of the process, as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(_Figures(report))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, report: Report) -> None:
        self._report = report

    def collect(self) -> Iterable[Metric]:
        return families(self._report)


def families(report: Report) -> Iterable[Metric]:
    """The figures in Prometheus' terms."""
    stats = report.stats
    yield _by("jobs", "Jobs by state.", "state", stats.by_state)
    yield _by("job_failures", "Jobs without a picture, by cause.", "cause", stats.failures)
    yield _by(
        "job_seconds_median",
        "Median seconds of the last paintings.",
        "quality",
        stats.seconds_by_quality,
    )
    yield _one("jobs_waiting", "Jobs in the queue.", stats.waiting)
    yield _one("pictures_bytes", "What the pictures take on the disk.", stats.disk_bytes)
    yield _one("disk_free_bytes", "What the disk has left.", report.disk_free_bytes)
    yield _one("painting_paused", "1 if no machine is there to paint.", stats.is_paused)
    painted = {worker.device: worker.painted for worker in stats.workers}
    yield _by("worker_pictures", "Pictures painted since the start.", "device", painted)
    at_work = {worker.device: worker.state.is_at_work for worker in stats.workers}
    yield _by("worker_up", "1 if the device paints or is ready to.", "device", at_work)
    used, total = ({device: m[n] for device, m in report.gpu_memory.items()} for n in (0, 1))
    yield _by("gpu_memory_used_bytes", "Memory of the GPU in use.", "device", used)
    yield _by("gpu_memory_bytes", "Memory of the GPU in all.", "device", total)


def _one(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"style_bot_{name}", about, value=value)


def _by(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"style_bot_{name}", about, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
