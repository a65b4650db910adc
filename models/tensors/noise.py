"""Random numbers that follow a seed."""

from __future__ import annotations

import torch


def seeded(seed: int) -> torch.Generator:
    """A generator of the processor's: the same numbers for a seed, whatever the device.

    Any whole number is a seed.
    """
    return torch.Generator().manual_seed(seed % 2**63)
