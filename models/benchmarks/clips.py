"""How steady, how quick: `python -m models.benchmarks.clips --photo PHOTO --style PICTURE ...`.

Paints clips whose true motion is known (`clip_scenes`) frame by frame and as clips are painted.
*Flicker* is the mean absolute difference between a painting and the one before, carried along the
true motion, in grey levels, over all places that were there before; *unmoved* the same without the
motion: as low as the flicker, it would mean that texture sticks to the screen. *Gram gap closed* of
single frames says whether they are painted flat.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean

import cv2
import numpy as np
from PIL import Image

from models.benchmarks.clip_scenes import SCENES, Scene, make_scene
from models.benchmarks.memory import PeakMemory
from models.clips.encoder import ClipEncoder
from models.clips.frame_pixels import Pixels
from models.clips.interface import ClipKind, ClipLimits
from models.clips.timeline import TICKS_PER_S, Shown
from models.encoders import load_encoder
from models.engine.stylizer import TorchStylizer
from models.interface import Quality, Style, StyleOptions
from models.pictures.reading import open_picture
from models.tensors.images import to_tensor
from models.training.evaluation.figures import LONG_SIDE_PX
from models.training.evaluation.judge import Judge
from models.weights_cache import DEFAULT_CACHE_DIR

_JUDGED = 3
"""Frames of each clip, the last one and some before."""
_SHEET_FRAMES, _SHEET_PX = 8, 200
_FPS = 25
_SELF, _CHILDREN = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN


@dataclass(frozen=True, slots=True)
class Steadiness:
    """One clip in one style, frame by frame (`before`) and as clips are painted (`after`)."""

    style: str
    scene: str
    flicker_before: float
    flicker_after: float
    unmoved_after: float
    gram_gap_before: float
    gram_gap_after: float


@dataclass(frozen=True, slots=True)
class Pace:
    """One clip from file to file."""

    size_px: int
    seconds_long: float
    frames: int
    frames_per_s: float
    core_s_a_frame: float
    """Of the processor, by this process and the readers: unlike the pace it hardly depends on what
    else the machine does."""
    peak_memory_mb: float
    """Of this process above what it held before."""


def measure_steadiness(
    stylizer: TorchStylizer,
    photo: Path,
    styles: Mapping[str, tuple[Style, StyleOptions]],
    *,
    scenes: Sequence[str] = tuple(SCENES),
    size_px: int = 480,
    count: int = 20,
    sheets: Path | None = None,
) -> Iterator[Steadiness]:
    """A row for each style and scene; `sheets` is a folder for contact sheets of frames."""
    picture = open_picture(photo)
    # By the slim encoder, whatever paints: comparable only with each other.
    judge = Judge(load_encoder("slim", cache_dir=DEFAULT_CACHE_DIR), name="slim")
    for scene in (make_scene(name, picture, width=size_px, count=count) for name in scenes):
        for name, (style, options) in styles.items():
            before = _one_by_one(stylizer, scene, style, options)
            painter = stylizer.frame_painter([style], options)
            after = [painter.paint(frame) for frame in scene.frames]
            if sheets is not None:
                _sheet(scene, before, after).save(sheets / f"{scene.name}-{name}.png")
            yield Steadiness(
                name,
                scene.name,
                flicker_before=flicker(scene, before),
                flicker_after=flicker(scene, after),
                unmoved_after=flicker(scene, after, moved=False),
                gram_gap_before=_gram_gap(judge, scene, before, style),
                gram_gap_after=_gram_gap(judge, scene, after, style),
            )


def flicker(scene: Scene, paintings: Sequence[Pixels], *, moved: bool = True) -> float:
    """Grey levels between a painting and the one before, carried along the true motion or not."""
    height, width = paintings[0].shape[:2]
    columns, rows = np.meshgrid(*(np.arange(side, dtype=np.float32) for side in (width, height)))
    differences = []
    for number in range(1, len(paintings)):
        seen = scene.seen[number]
        if not seen.any():
            continue
        before = paintings[number - 1].astype(np.float32)
        if moved:
            flow = scene.moved[number]
            before = cv2.remap(
                before, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_CUBIC
            ).astype(np.float32)
        differences.append(float(np.abs(paintings[number] - before)[seen].mean()))
    return fmean(differences)


def measure_pace(
    stylizer: TorchStylizer,
    photo: Path,
    style: Style,
    options: StyleOptions,
    *,
    seconds: Sequence[float] = (2,),
    frames_per_s: int = _FPS,
) -> Iterator[Pace]:
    """Paint a pan of so many seconds each from file to file, after a short one to warm up."""
    with tempfile.TemporaryDirectory() as folder:
        for length in (0.2, *seconds):
            source, output = Path(folder, "pan.mp4"), Path(folder, "painted.mp4")
            _write_pan(source, photo, options.size_px, round(length * frames_per_s), frames_per_s)
            began, used = time.perf_counter(), _core_s()
            with PeakMemory(stylizer.device) as memory:
                painted = stylizer.stylize_clip(
                    source,
                    [style],
                    options,
                    output=output,
                    kind=ClipKind.VIDEO,
                    limits=ClipLimits(seconds=max(seconds)),
                )
            spent = time.perf_counter() - began
            if length in seconds:
                yield Pace(
                    options.size_px,
                    length,
                    painted.frames,
                    painted.frames / spent,
                    (_core_s() - used) / painted.frames,
                    memory.megabytes,
                )


def steadiness_table(rows: Sequence[Steadiness]) -> str:
    """The rows as Markdown."""
    lines = [
        "| clip | style | flicker, frame by frame | flicker | unmoved | Gram gap, frame by frame "
        "| Gram gap |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.scene} | {row.style} | {row.flicker_before:.1f} | {row.flicker_after:.1f} "
        f"| {row.unmoved_after:.1f} | {row.gram_gap_before:.3f} | {row.gram_gap_after:.3f} |"
        for row in rows
    ]
    return "\n".join(lines)


def pace_table(rows: Sequence[Pace]) -> str:
    """The rows as Markdown."""
    lines = [
        "| size, px | s long | frames | frames/s | core seconds a frame | memory, MB |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.size_px} | {row.seconds_long:g} | {row.frames} | {row.frames_per_s:.1f} "
        f"| {row.core_s_a_frame:.2f} | {row.peak_memory_mb:.0f} |"
        for row in rows
    ]
    return "\n".join(lines)


def _core_s() -> float:
    own, readers = (resource.getrusage(who) for who in (_SELF, _CHILDREN))
    return own.ru_utime + own.ru_stime + readers.ru_utime + readers.ru_stime


def _one_by_one(
    stylizer: TorchStylizer, scene: Scene, style: Style, options: StyleOptions
) -> list[Pixels]:
    """Every frame as a photo is drafted."""
    draft = replace(options, quality=Quality.DRAFT, size_px=max(scene.frames[0].shape))
    paintings = []
    with tempfile.TemporaryDirectory() as folder:
        content = Path(folder, "frame.png")
        for frame in scene.frames:
            Image.fromarray(frame).save(content, compress_level=0)
            painting = stylizer.stylize(content, [style], draft)
            paintings.append(np.asarray(painting.picture))
    return paintings


def _gram_gap(judge: Judge, scene: Scene, paintings: Sequence[Pixels], style: Style) -> float:
    target = to_tensor(open_picture(style.picture, long_side_px=LONG_SIDE_PX))
    found = []
    for number in np.linspace(len(paintings) // 2, len(paintings) - 1, _JUDGED).astype(int):
        photo, painting = (
            to_tensor(Image.fromarray(frames[number])) for frames in (scene.frames, paintings)
        )
        found.append(judge(judge.reference(photo, target), painting).mean_gram_gap_closed)
    return fmean(found)


def _sheet(scene: Scene, before: Sequence[Pixels], after: Sequence[Pixels]) -> Image.Image:
    """Consecutive frames from left to right: the photo, frame by frame, as clips are painted."""
    height, width = scene.frames[0].shape[:2]
    top, left = max(0, (height - _SHEET_PX) // 2), max(0, (width - _SHEET_PX) // 2)
    first = max(0, len(after) - _SHEET_FRAMES)
    rows = [
        np.hstack(
            [frame[top : top + _SHEET_PX, left : left + _SHEET_PX] for frame in frames[first:]]
        )
        for frames in (scene.frames, before, after)
    ]
    return Image.fromarray(np.vstack(rows))


def _write_pan(path: Path, photo: Path, size_px: int, count: int, frames_per_s: int) -> None:
    """To and fro over 50 frames, so that a long clip needs no longer photo."""
    frames = make_scene("pan", open_picture(photo), width=size_px, count=50).frames
    length = TICKS_PER_S // frames_per_s
    height, width = frames[0].shape[:2]
    with ClipEncoder(
        path, (width, height), frames_per_s=frames_per_s, bits_per_s=8_000_000
    ) as encoder:
        for number in range(count):
            place = abs((number + 49) % 98 - 49)
            encoder.write(Shown(number * length, length), frames[place])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photo", type=Path, required=True)
    parser.add_argument("--style", type=Path, required=True, action="append")
    parser.add_argument("--size", type=int, default=480)
    parser.add_argument("--strength", type=int, default=StyleOptions().strength)
    parser.add_argument("--brush", type=float, default=StyleOptions().brush)
    parser.add_argument("--scene", choices=SCENES, action="append")
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--seconds", type=float, nargs="*", default=[2], help="of the pace's clips")
    parser.add_argument("--sheets", type=Path, help="a folder for contact sheets")
    parser.add_argument("--json", type=Path, help="where the rows go as JSON")
    asked = parser.parse_args()
    if asked.sheets is not None:
        asked.sheets.mkdir(parents=True, exist_ok=True)
    from models.engine.loading import load_stylizer

    stylizer = load_stylizer(encoder="slim")
    options = StyleOptions(size_px=asked.size, strength=asked.strength, brush=asked.brush)
    steady = list(
        measure_steadiness(
            stylizer,
            asked.photo,
            {path.stem: (Style(path), options) for path in asked.style},
            scenes=asked.scene or tuple(SCENES),
            size_px=asked.size,
            count=asked.frames,
            sheets=asked.sheets,
        )
    )
    pace = list(
        measure_pace(stylizer, asked.photo, Style(asked.style[0]), options, seconds=asked.seconds)
    )
    sys.stdout.write(f"{steadiness_table(steady)}\n\n{pace_table(pace)}\n")
    if asked.json:
        rows = {"steadiness": list(map(asdict, steady)), "pace": list(map(asdict, pace))}
        asked.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
