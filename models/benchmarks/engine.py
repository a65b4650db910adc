"""How quick the engine is on this machine, and what memory it takes.

Timings depend on the machine and its load: compare them only within one run.
"""

from __future__ import annotations

import timeit
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.benchmarks.memory import PeakMemory
from models.engine.stylizer import TorchStylizer
from models.faces import FaceFinder
from models.interface import Quality, Style, StyleOptions
from models.neighbours.recipe import USUAL_RECIPE
from models.pictures.reading import open_picture

_LOOKS = 10


@dataclass(frozen=True, slots=True)
class EngineTiming:
    """One painting."""

    quality: Quality
    columns: float
    """`Recipe.columns`: with 0 there are no neighbours, as in a Gram engine."""
    size_px: int
    seconds: float
    steps: int
    steps_per_second: float | None
    """None for a draft in one pass."""
    peak_memory_mb: float
    """Above what the process held before."""


@dataclass(frozen=True, slots=True)
class FaceTiming:
    """What natural faces cost in one picture of `standard`."""

    size_px: int
    find_s: float
    natural_s: float
    painted_s: float
    """With faces as painted; they are looked for all the same."""

    @property
    def share(self) -> float:
        """Of the time that the picture would take if nobody looked for faces."""
        without = self.painted_s - self.find_s
        return (self.natural_s - without) / without


def measure_engine(
    stylizer: TorchStylizer,
    content: Path,
    style: Path,
    *,
    sizes_px: Sequence[int] = (256, 512, 1024),
    qualities: Sequence[Quality] = tuple(Quality),
) -> Iterator[EngineTiming]:
    """Paint once in every quality and size, after one small painting to warm up.

    Then `standard` once more without neighbours, by Gram matrices and structure alone.
    """
    stylizer.stylize(content, [Style(style)], StyleOptions(size_px=min(sizes_px), steps=3))
    gram_alone = replace(USUAL_RECIPE, columns=0.0)
    kinds = [(quality, USUAL_RECIPE) for quality in qualities]
    for quality, recipe in [*kinds, (Quality.STANDARD, gram_alone)]:
        for size_px in sizes_px:
            options = StyleOptions(quality=quality, size_px=size_px)
            with PeakMemory(stylizer.device) as memory:
                painting = stylizer.stylize(content, [Style(style, recipe=recipe)], options)
            yield EngineTiming(
                quality=quality,
                columns=recipe.columns,
                size_px=size_px,
                seconds=painting.seconds,
                steps=painting.steps,
                steps_per_second=painting.steps / painting.seconds if painting.steps else None,
                peak_memory_mb=memory.megabytes,
            )


def measure_faces(
    stylizer: TorchStylizer, finder: FaceFinder, content: Path, style: Path, *, size_px: int
) -> FaceTiming:
    """Paint a photo of a person both ways, each the quicker of two times in turn."""
    photo = open_picture(content, long_side_px=size_px)
    natural = StyleOptions(size_px=size_px)
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for keep in (True, False) * 2:
        options = replace(natural, keep_faces=keep)
        seconds[keep].append(stylizer.stylize(content, [Style(style)], options).seconds)
    find_s = timeit.timeit(lambda: finder.find(photo), number=_LOOKS) / _LOOKS
    return FaceTiming(size_px, find_s, min(seconds[True]), min(seconds[False]))
