"""What the three that paint in a Ray cluster say to each other, pickled: the bot's `link`, the
`driver` beside it, and the `painter` that an actor is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.clips.interface import ClipKind, ClipLimits, ClipReport, PaintedClip
from models.devices.gpu_options import GpuOptions
from models.interface import Painting, StepReport, Style, StyleOptions
from models.neighbours.recipe import Recipe

if TYPE_CHECKING:
    from models.weight_files import EncoderSetting

# Between the bot and the driver. Each order has a number, which its answers have as well.


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOrder:
    """Which cluster, and which engines of it; the first thing that a driver hears."""

    address: str
    """`auto` or HOST:PORT."""
    encoder: EncoderSetting
    device: str
    """As in `models.interface.named_devices`, but no single GPUs."""
    cpu_workers: int
    """For each machine, where the processors paint."""
    gpu: GpuOptions
    cache_dir: Path
    """Where the bot has VGG16's weights, if it has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Have an engine loaded wherever one is to be; answered by `Changes`."""

    ended: frozenset[str]
    """Engines that are given up by the bot: they are ended, and loaded anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is different since the last look."""

    joined: tuple[str, ...] = ()
    """Engines that are loaded now, by their place's name."""
    gone: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    """Why a place has no engine, a sentence each; not said twice."""
    is_loading: bool = False
    """More will join."""
    why_none: str | None = None
    """One sentence where no engine can be had: the cluster doesn't answer, or has no GPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintPicture:
    """The arguments of `Stylizer.stylize`; answered by reports and a `Painting`."""

    engine: str
    content: Path
    styles: tuple[Style, ...]
    options: StyleOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintClip:
    """The arguments of `ClipStylizer.stylize_clip`; answered by reports and a `PaintedClip`."""

    engine: str
    source: Path
    styles: tuple[Style, ...]
    options: StyleOptions
    output: Path
    kind: ClipKind
    limits: ClipLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """For the order of the same number."""

    engine: str
    cancel: bool
    """What is painted of a clip is not wanted."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The last answer to an order."""

    error: Exception | None = None


Order = Look | PaintPicture | PaintClip | Stop

# Between the driver and a painter


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
class SentWeights:
    """VGG16's, for a machine that hasn't got them."""

    content: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class SentStyle:
    """A style with its picture's file."""

    picture: bytes
    weight: float
    recipe: Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOrder:
    """One picture to paint; a later one has a higher `number`."""

    number: int
    content: bytes
    """The photo's file."""
    styles: tuple[SentStyle, ...]
    options: StyleOptions


@dataclass(frozen=True, slots=True)
class Begun:
    """The first answer to an order: what befalls the painter from here on may be its doing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipOrder:
    """One clip to paint, likewise."""

    number: int
    content: bytes
    """The clip's file."""
    suffix: str
    """Of its name."""
    styles: tuple[SentStyle, ...]
    options: StyleOptions
    kind: ClipKind
    limits: ClipLimits


@dataclass(frozen=True, slots=True)
class ClipPart:
    """The next bytes of the painted clip's file."""

    content: bytes


Answer = Begun | StepReport | Painting
"""`Begun`, any number of reports, and then the painting."""
ClipAnswer = Begun | ClipReport | ClipPart | PaintedClip
"""`Begun`, any number of reports, the file in its parts, and what is to be known of it."""
