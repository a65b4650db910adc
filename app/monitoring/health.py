"""How the bot is doing: the figures behind /stats and the metrics endpoint."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.jobs.interface import JobService, Stats

GpuMemory = Callable[[], tuple[int, int] | None]
"""Bytes in use and in all; None without a GPU. May block."""


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one moment."""

    stats: Stats
    disk_free_bytes: int
    gpu: tuple[int, int] | None
    """Bytes of the GPU's memory in use and in all."""


class Health:
    """Asks the jobs, the disk and the GPU."""

    def __init__(self, job_service: JobService, *, data_dir: Path, gpu_memory: GpuMemory) -> None:
        self._job_service = job_service
        self._data_dir = data_dir
        self._gpu_memory = gpu_memory

    async def report(self) -> Report:
        stats = await self._job_service.stats()
        disk = await asyncio.to_thread(shutil.disk_usage, self._data_dir)
        gpu = await asyncio.to_thread(self._gpu_memory)
        return Report(stats, disk.free, gpu)
