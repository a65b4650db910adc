"""What a torch error means: memory ran out, the GPU is lost, or a mistake of ours."""

from __future__ import annotations

import contextlib
import gc

import torch

_NO_MEMORY_PHRASES = (
    "out of memory",
    "can't allocate memory",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
)
"""Memory that runs out inside cuDNN, cuBLAS or the CPU's allocator has no exception class."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a smaller picture may help."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and any(phrase in text for phrase in _NO_MEMORY_PHRASES)


def is_device_lost(error: BaseException) -> bool:
    """Whether the GPU's context is gone: after a device-side assert nothing works any more."""
    return isinstance(error, torch.AcceleratorError) and not is_out_of_memory(error)


def release_memory() -> None:
    """Give back what a failed attempt held; call it outside its `except`, which pins tensors."""
    gc.collect()
    if torch.cuda.is_available():
        # It goes over all GPUs of the process, and another one may be lost.
        with contextlib.suppress(RuntimeError):
            torch.cuda.empty_cache()
