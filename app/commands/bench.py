"""`run.py bench`: how quick the engine and the chat are on this machine."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.bench_chat import measure_chat
from app.commands.bench_gpu import measure_gpu
from app.commands.bench_updates import measure_updates
from app.commands.bench_workers import measure_workers
from app.commands.errors import UsageError
from app.commands.outputs import check_place, make_folder, write_result
from app.engine import load_engine
from models.interface import Quality, StyleOptions
from styles.catalog import Catalog, default_catalog

if TYPE_CHECKING:
    from app.settings import Settings
    from models.engine.stylizer import TorchStylizer

GPU = "gpu"
PARTS = ("draft", "engine", "faces", "clips", "workers", "chat", "updates")
_CLIP_PHOTO, _CLIP_PX = "city.jpg", 480
_CLIP_STYLES = ("swirls", "mosaic", "pop-art")


def add_bench(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `bench`."""
    parser.add_argument("--json", type=Path, help="where the figures go as JSON")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512], help="of the engine")
    parser.add_argument("--sheets", type=Path, help="a folder for contact sheets of the clips")
    parser.add_argument(
        "--only", choices=(*PARTS, GPU), action="append", help="not all of it; gpu is only so"
    )
    parser.add_argument("--table", type=Path, help="where the table of gpu goes as Markdown")


def bench(args: argparse.Namespace, settings: Settings) -> int:
    """Measure everything, print tables, write JSON. Raises `UsageError`, `OutputError`."""
    try:
        for size_px in args.sizes:
            StyleOptions(size_px=size_px)
    except ValueError as error:
        raise UsageError(str(error)) from error
    for place in (args.json, args.table):
        if place is not None:
            check_place(place)
    if args.sheets is not None:
        make_folder(args.sheets)
    catalog = default_catalog(settings.styles_dir)
    content, style = catalog.sample, catalog.presets()[0].picture
    measure: dict[str, Callable[[], object]] = {
        "draft": _draft,
        "engine": lambda: _engine(load_engine(settings), content, style, args.sizes),
        "faces": lambda: _faces(load_engine(settings), content, style, max(args.sizes)),
        "clips": lambda: _clips(load_engine(settings), catalog, args.sheets),
        "workers": lambda: _workers(content),
        "chat": lambda: _chat(content),
        "updates": lambda: _updates(content),
        GPU: lambda: _gpu(settings, catalog, args.table),
    }
    figures: dict[str, object] = {}
    for part in args.only or PARTS:
        print(f"\n## {part}\n", flush=True)
        figures[part] = measure[part]()
    if args.json is not None:
        write_result((json.dumps(figures, indent=2) + "\n").encode(), args.json)
    return 0


def _gpu(settings: Settings, catalog: Catalog, table: Path | None) -> object:
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        print(text, flush=True)

    figures = measure_gpu(settings, catalog, say)
    if table is not None:
        write_result(("\n".join(said) + "\n").encode(), table)
    return figures


def _workers(content: Path) -> dict[str, object]:
    figures = measure_workers(content)
    print(figures)
    return asdict(figures) | {"two_to_one": figures.ratio(2)}


def _chat(content: Path) -> dict[str, object]:
    figures = measure_chat(content)
    print(figures)
    return asdict(figures) | {"busy_to_idle": figures.busy_to_idle}


def _updates(content: Path) -> dict[str, object]:
    figures = measure_updates(content)
    print(figures)
    return asdict(figures)


def _draft() -> list[dict[str, object]]:
    from models.benchmarks.draft import bench_draft, draft_table

    rows = bench_draft()
    print(draft_table(rows))
    return [asdict(row) for row in rows]


def _engine(
    stylizer: TorchStylizer, content: Path, style: Path, sizes_px: Iterable[int]
) -> list[dict[str, object]]:
    from models.benchmarks.engine import measure_engine

    print("| quality | size, px | s | steps | steps/s | memory, MB |\n|---|---|---|---|---|---|")
    timings = []
    for timing in measure_engine(
        stylizer, content, style, sizes_px=list(sizes_px), qualities=list(Quality)
    ):
        rate = f"{timing.steps_per_second:.1f}" if timing.steps_per_second else ""
        print(
            f"| {timing.quality}{'' if timing.columns else ', Gram matrices alone'} "
            f"| {timing.size_px} | {timing.seconds:.1f} | {timing.steps} "
            f"| {rate} | {timing.peak_memory_mb:.0f} |",
            flush=True,
        )
        timings.append(asdict(timing))
    return timings


def _clips(stylizer: TorchStylizer, catalog: Catalog, sheets: Path | None) -> dict[str, object]:
    from models.benchmarks.clips import (
        measure_pace,
        measure_steadiness,
        pace_table,
        steadiness_table,
    )

    asked = StyleOptions(size_px=_CLIP_PX)
    chosen = {preset.slug: preset for preset in catalog.presets() if preset.slug in _CLIP_STYLES}
    styles = {name: (preset.style, preset.hinted(asked)) for name, preset in chosen.items()}
    photo = catalog.sample.with_name(_CLIP_PHOTO)
    steadiness = list(measure_steadiness(stylizer, photo, styles, sheets=sheets))
    print(steadiness_table(steadiness), flush=True)
    pace = list(measure_pace(stylizer, photo, *next(iter(styles.values()))))
    print(f"\n{pace_table(pace)}")
    return {"steadiness": list(map(asdict, steadiness)), "pace": list(map(asdict, pace))}


def _faces(stylizer: TorchStylizer, content: Path, style: Path, size_px: int) -> dict[str, object]:
    from models.benchmarks.engine import measure_faces
    from models.faces import load_face_finder

    finder = load_face_finder()
    if finder is None:
        return {}
    timing = measure_faces(stylizer, finder, content, style, size_px=size_px)
    print(
        f"| size, px | found in, s | natural, s | as painted, s | cost |\n|---|---|---|---|---|\n"
        f"| {timing.size_px} | {timing.find_s:.3f} | {timing.natural_s:.1f} "
        f"| {timing.painted_s:.1f} | {timing.share:.1%} |",
        flush=True,
    )
    return asdict(timing) | {"share": timing.share}
