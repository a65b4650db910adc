"""Where half precision (bfloat16) is quicker than single."""

from __future__ import annotations

import torch


def half_is_quick(device: torch.device) -> bool:
    """Whether `device` is a processor that multiplies bfloat16 in hardware.

    Elsewhere it is emulated, and slower. On a GPU nothing was measured; there it stays single.
    """
    able = torch.cpu.get_capabilities()
    return device.type == "cpu" and bool(able.get("avx512_bf16") or able.get("amx_bf16"))
