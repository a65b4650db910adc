"""The same figures for Prometheus, on loopback and only where a port is set."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.monitoring.health import Health, Report

HOST = "127.0.0.1"
ANSWER_WITHIN_S = 5.0


@contextlib.asynccontextmanager
async def serving_metrics(health: Health, port: int) -> AsyncIterator[int]:
    """Serve until the block ends; yields the port, which is a free one where 0 was asked for.

    Raises OSError if the port is taken.
    """
    registry = CollectorRegistry()
    registry.register(HealthCollector(health, asyncio.get_running_loop()))
    ProcessCollector(registry=registry)
    server, thread = start_http_server(port, addr=HOST, registry=registry)
    try:
        yield server.server_port
    finally:
        # Off the loop: a request in flight is waiting for the loop's answer.
        await asyncio.to_thread(server.shutdown)
        await asyncio.to_thread(thread.join)
        server.server_close()


class HealthCollector(Collector):
    """Called in the server's threads; the figures are gathered in the event loop."""

    def __init__(self, health: Health, loop: asyncio.AbstractEventLoop) -> None:
        self._health = health
        self._loop = loop

    def collect(self) -> Iterable[Metric]:
        report = asyncio.run_coroutine_threadsafe(self._health.report(), self._loop)
        return families(report.result(ANSWER_WITHIN_S))

    def describe(self) -> Iterable[Metric]:
        """Nothing: without this the registry would collect when it is built, and in the loop."""
        return ()


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
    if report.gpu is not None:
        used, total = report.gpu
        yield _one("card_memory_used_bytes", "Memory of the card in use.", used)
        yield _one("card_memory_bytes", "Memory of the card in all.", total)


def _one(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"style_bot_{name}", about, value=value)


def _by(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"style_bot_{name}", about, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
