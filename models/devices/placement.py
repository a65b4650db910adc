"""Networks and threads on their device."""

from __future__ import annotations

import contextlib
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def placed(network: Network, device: torch.device | str, *, channels_last: bool = True) -> Network:
    """The same `network`, on `device` and with its kernels channels last.

    On a processor that layout is worth a fifth of the time.
    """
    layout = torch.channels_last if channels_last else torch.contiguous_format
    there: Network = network.to(device, memory_format=layout)  # type: ignore[call-overload]
    return there


def current(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Within it whatever in this thread asks CUDA for no certain GPU means `device`."""
    return torch.cuda.device(device) if device.type == "cuda" else contextlib.nullcontext()
