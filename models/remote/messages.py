"""What goes over the network between a `RayStylizer` and its `RemotePainter`, pickled by Ray."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.devices.gpu_options import GpuOptions
from models.interface import Painting, StepReport, StyleOptions
from models.neighbours.recipe import Recipe
from models.pictures import PictureProblem

if TYPE_CHECKING:
    from models.weight_files import EncoderSetting


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOrder:
    """Which engine a painter is to load."""

    project: str
    """What `project_digest` says where the bot runs."""
    encoder: EncoderSetting
    gpu: GpuOptions | None
    """None for an engine on the processor."""
    threads: int
    """For the processor."""


@dataclass(frozen=True, slots=True)
class SentStyle:
    """A style with its picture's file."""

    picture: bytes
    weight: float
    recipe: Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOrder:
    """One picture to paint; `number` is counted up for each painter."""

    number: int
    content: bytes
    """The photo's file."""
    styles: tuple[SentStyle, ...]
    options: StyleOptions


@dataclass(frozen=True, slots=True)
class Refusal:
    """A picture can't be used; Python would not unpickle the PictureError itself."""

    problem: PictureProblem
    max_pixels: int


Answer = StepReport | Painting | Refusal
"""Any number of reports, and then one of the others."""
