"""How much memory something takes, in MB of a million bytes.

Of a process it is what lies in physical memory; Linux alone says that without a library.
"""

from __future__ import annotations

import resource
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import torch

_BYTES_A_MB = 1e6
_SAMPLES_PER_S = 100


def resident_mb() -> float:
    """Memory of this process."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return float(pages) * resource.getpagesize() / _BYTES_A_MB


def peak_resident_mb() -> float:
    """The most memory that this process has had since it began."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _BYTES_A_MB


class PeakMemory:
    """The most memory that a block of code held above what there was before.

    On a GPU torch counts; on a processor a thread looks at the process a hundred times a second.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._cuda = device.type == "cuda"
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._before_mb = self._peak_mb = 0.0
        self.megabytes = 0.0

    def __enter__(self) -> Self:
        if self._cuda:
            torch.cuda.reset_peak_memory_stats(self._device)
            self._before_mb = torch.cuda.memory_allocated(self._device) / _BYTES_A_MB
        else:
            self._before_mb = self._peak_mb = resident_mb()
            self._watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._cuda:
            self._peak_mb = torch.cuda.max_memory_allocated(self._device) / _BYTES_A_MB
        else:
            self._done.set()
            self._watcher.join()
        self.megabytes = max(0.0, self._peak_mb - self._before_mb)

    def _watch(self) -> None:
        while not self._done.wait(1 / _SAMPLES_PER_S):
            self._peak_mb = max(self._peak_mb, resident_mb())
