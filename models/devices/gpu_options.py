"""How a GPU is used; a processor knows none of this."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuOptions:
    """The default is what torch itself does. None of it was measured on a GPU yet: `make gpu`."""

    tf32: bool = True
    """Convolutions of single precision with the products rounded to 10 bits: torch's default."""
    half: bool = False
    """Convolutions in bfloat16; everything else stays in single precision."""
    graphs: bool = False
    """The encoder's kernels of a step are recorded once for each size and replayed as one."""
    channels_last: bool = True
    """The layout of the encoder's kernels and maps."""

    @property
    def name(self) -> str:
        """For tables."""
        precision = "bf16" if self.half else "TF32" if self.tf32 else "fp32"
        layout = "" if self.channels_last else ", channels first"
        return f"{precision}{layout}{', graphs' if self.graphs else ''}"
