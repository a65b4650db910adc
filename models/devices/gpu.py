"""The memory of a GPU."""

from __future__ import annotations

import torch


def gpu_memory(device: str) -> tuple[int, int] | None:
    """Bytes in use, by every process, and bytes in all; None for a device that is no GPU.

    Asks the driver: callable from any thread, while the GPU paints.
    """
    # Asking would open a context on a GPU that the settings leave alone.
    if torch.device(device).type != "cuda" or not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        return None
    try:
        free, total = torch.cuda.mem_get_info(device)
    except RuntimeError:  # the context is gone; the painter says so in its own words
        return None
    return total - free, total
