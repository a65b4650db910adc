"""Half precision (bfloat16) where it is quicker than single."""

from __future__ import annotations

import torch


def half_precision(
    device: torch.device, *, enabled: bool | None = None, cached: bool = True
) -> torch.autocast:
    """Within it convolutions on `device` are in bfloat16.

    `enabled` None is where `half_is_quick`; `cached` keeps the weights in bfloat16 until its end.
    """
    if enabled is None:
        enabled = half_is_quick(device)
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled, cache_enabled=cached)


def half_is_wanted(device: torch.device, *, asked: bool) -> bool:
    """Where it is `asked` for, and where it is quick."""
    return asked or half_is_quick(device)


def half_is_quick(device: torch.device) -> bool:
    """On a processor that multiplies bfloat16 in hardware; elsewhere it is emulated, and slower.

    On a GPU nothing was measured; there it stays single unless it is asked for.
    """
    return device.type == "cpu" and _multiplies_bfloat16()


def use_tf32(*, enabled: bool) -> None:
    """For the convolutions of single precision on every GPU of this process."""
    torch.backends.cudnn.conv.fp32_precision = "tf32" if enabled else "ieee"  # type: ignore[attr-defined]


def _multiplies_bfloat16() -> bool:
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
