"""How the bot is doing: the figures behind /stats and the metrics endpoint."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.jobs.interface import JobService, Stats

GpuMemory = Callable[[str], tuple[int, int] | None]
"""Bytes in use and in all of a device by torch's name; None for one that is no GPU. May block."""


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one moment."""

    stats: Stats
    disk_free_bytes: int
    gpu_memory: Mapping[str, tuple[int, int]]
    """Bytes in use and in all, of each GPU that is at work."""


class Health:
    """Asks the jobs, the disk and the GPU."""

    def __init__(self, job_service: JobService, *, data_dir: Path, gpu_memory: GpuMemory) -> None:
        self._job_service = job_service
        self._data_dir = data_dir
        self._gpu_memory = gpu_memory

    async def report(self) -> Report:
        stats = await self._job_service.stats()
        disk = await asyncio.to_thread(shutil.disk_usage, self._data_dir)
        # A GPU that hangs answers nobody, and would take along whoever asks it.
        devices = [worker.device for worker in stats.workers if worker.state.is_at_work]
        asked = await asyncio.to_thread(lambda: {each: self._gpu_memory(each) for each in devices})
        memory = {device: size for device, size in asked.items() if size is not None}
        return Report(stats, disk.free, memory)
