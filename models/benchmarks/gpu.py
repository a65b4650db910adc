"""What a GPU does: seconds, memory and the first draft by quality and size, and its settings.

Every function takes the device, so that a processor runs the same lines at a small size.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from models.benchmarks.memory import PeakMemory
from models.devices.gpu_options import GpuOptions
from models.engine.loading import load_stylizer
from models.engine.stylizer import TorchStylizer
from models.interface import Note, Painting, Quality, StepReport, Style, StyleOptions
from models.pictures.reading import open_picture
from models.tensors.images import to_tensor
from models.training.evaluation.figures import Figures, mean_figures
from models.training.evaluation.judge import Judge, load_judge
from models.training.evaluation.pairs import Pair, sized
from models.weight_files import EncoderName, EncoderSetting, load_vgg16
from models.weights_cache import WeightsError

SIZES_PX = (512, 1024, 2048)
VARIANTS = (
    GpuOptions(tf32=False),
    GpuOptions(),
    GpuOptions(half=True),
    GpuOptions(channels_last=False),
    GpuOptions(graphs=True),
    GpuOptions(half=True, graphs=True),
)
_WARM_UP = StyleOptions(size_px=64, steps=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurable:
    """A device and how much of it is looked at."""

    device: torch.device
    sizes_px: Sequence[int] = SIZES_PX
    variants: Sequence[GpuOptions] = VARIANTS
    variant_px: int = 512
    pairs: int = 4
    """So many styles on the sample photo are judged for each variant."""


def find_gpu() -> Measurable | None:
    """The first GPU that torch can use."""
    return Measurable(device=torch.device("cuda:0")) if torch.cuda.is_available() else None


class Budget:
    """Time that is not passed by more than one step of a painting."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    @property
    def left_s(self) -> float:
        return max(0.0, self._until - time.monotonic())

    def part(self, seconds: float) -> Budget:
        """At most so much of what is left."""
        return Budget(min(seconds, self.left_s))


@dataclass(frozen=True, slots=True)
class GpuTiming:
    """One painting."""

    quality: Quality
    size_px: int
    seconds: float
    first_draft_s: float
    """Until there is something to look at."""
    steps: int
    peak_memory_mb: float
    """Above what the engine holds anyway."""


@dataclass(frozen=True, slots=True)
class VariantFigures:
    """One way to use the GPU: what it takes and what comes of it."""

    name: str
    size_px: int
    seconds: float
    first_seconds: float
    """Of the first picture of that size: kernels are chosen and graphs are recorded in it."""
    peak_memory_mb: float
    pairs: int
    gram_gap_closed: float
    neighbour_gap_closed: float
    content_kept: float


def encoder_at_hand(setting: EncoderSetting, cache_dir: Path) -> EncoderName:
    """What is measured without a download: `auto` is vgg16 where it lies in the cache already."""
    if setting != "auto":
        return setting
    try:
        load_vgg16(cache_dir)
    except WeightsError:
        return "slim"
    return "vgg16"


def describe(device: torch.device) -> dict[str, str]:
    """What was measured on."""
    name = "processor"
    if device.type == "cuda":
        facts = torch.cuda.get_device_properties(device)
        name = f"{facts.name}, {facts.total_memory / 1e9:.0f} GB"
    return {"device": name, "torch": torch.__version__, "cuda": str(torch.version.cuda)}


def measure_sizes(
    stylizer: TorchStylizer,
    content: Path,
    style: Path,
    budget: Budget,
    *,
    sizes_px: Sequence[int] = SIZES_PX,
    qualities: Sequence[Quality] = tuple(Quality),
) -> Iterator[GpuTiming]:
    """Paint in every quality and size that the budget has room for, the small ones first."""
    stylizer.stylize(content, [Style(style)], _WARM_UP)
    for size_px in sizes_px:
        for quality in qualities:
            options = StyleOptions(quality=quality, size_px=size_px)
            if quality is Quality.DRAFT:  # the first picture of a size has kernels chosen
                stylizer.stylize(content, [Style(style)], options)
            timing = _timed(stylizer, content, style, options, budget)
            if timing is not None:
                yield timing


def measure_variants(
    measurable: Measurable,
    pictures: Sequence[tuple[Path, Path]],
    budget: Budget,
    *,
    encoder: EncoderSetting,
    cache_dir: Path,
) -> Iterator[VariantFigures]:
    """Each way to use the GPU side by side: time, memory and the judge's figures of `standard`.

    `pictures` are photos and styles. Variants that the budget has no room for are left out.
    """
    device, pairs = measurable.device, [Pair(photo, style) for photo, style in pictures]
    judge = load_judge(cache_dir, cache_dir).to(device)
    options = StyleOptions(size_px=measurable.variant_px, keep_faces=False)
    for variant in measurable.variants:
        if not budget.left_s:
            return
        stylizer = load_stylizer(
            encoder=encoder, device=str(device), cache_dir=cache_dir, gpu=variant
        )
        stylizer.stylize(pairs[0].photo, [Style(pairs[0].style)], _WARM_UP)
        first = _timed(stylizer, pairs[0].photo, pairs[0].style, options, budget)
        warm = _timed(stylizer, pairs[0].photo, pairs[0].style, options, budget)
        if first is None or warm is None:
            return
        figures = mean_figures([_judged(stylizer, pair, options, judge) for pair in pairs])
        yield VariantFigures(
            variant.name,
            options.size_px,
            warm.seconds,
            first.seconds,
            first.peak_memory_mb,
            len(pairs),
            **figures.rounded(),
        )


def _timed(
    stylizer: TorchStylizer, content: Path, style: Path, options: StyleOptions, budget: Budget
) -> GpuTiming | None:
    """None if the budget ended before the picture was finished."""
    began, stop, first_s = time.perf_counter(), threading.Event(), 0.0

    def look(report: StepReport) -> None:
        nonlocal first_s
        first_s = first_s or time.perf_counter() - began
        if not budget.left_s:
            stop.set()

    if not budget.left_s:
        return None
    with PeakMemory(stylizer.device) as memory:
        painting = stylizer.stylize(content, [Style(style)], options, on_step=look, stop=stop)
    if Note.STOPPED in painting.notes:
        return None
    return GpuTiming(
        options.quality,
        options.size_px,
        painting.seconds,
        first_s or painting.seconds,
        painting.steps,
        memory.megabytes,
    )


def _judged(stylizer: TorchStylizer, pair: Pair, options: StyleOptions, judge: Judge) -> Figures:
    device = judge.encoder.mean.device
    painting: Painting = stylizer.stylize(pair.photo, [Style(pair.style)], options)
    photo, style = sized(open_picture(pair.photo)), sized(open_picture(pair.style))
    reference = judge.reference(to_tensor(photo, device), to_tensor(style, device))
    picture = painting.picture.resize(photo.size, Image.Resampling.LANCZOS)
    figures: Figures = judge(reference, to_tensor(picture, device))
    return figures


def sizes_table(timings: Sequence[GpuTiming]) -> str:
    """As Markdown."""
    lines = [
        "| quality | size, px | s | first draft, s | steps | memory, MB |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.quality} | {one.size_px} | {one.seconds:.2f} | {one.first_draft_s:.2f} "
        f"| {one.steps} | {one.peak_memory_mb:.0f} |"
        for one in timings
    ]
    return "\n".join(lines)


def variants_table(variants: Sequence[VariantFigures]) -> str:
    """As Markdown."""
    lines = [
        "| `standard` with | s | the first, s | memory, MB | Gram gap closed "
        "| neighbour gap closed | content kept |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.name}, {one.size_px} px | {one.seconds:.2f} | {one.first_seconds:.2f} "
        f"| {one.peak_memory_mb:.0f} | {one.gram_gap_closed:.3f} | {one.neighbour_gap_closed:.3f} "
        f"| {one.content_kept:.3f} |"
        for one in variants
    ]
    return "\n".join(lines)
