"""`run.py clip`: a moving picture, painted without a chat."""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.engine import add_engine, with_engine
from app.commands.errors import UsageError
from app.commands.outputs import (
    STDOUT,
    cannot_write,
    check_free,
    check_place,
    check_precious,
    check_stdout,
    make_folder,
    means_a_folder,
)
from app.commands.photos import Photo, gathered
from app.commands.progress_bar import ProgressBar
from app.commands.wish import Wish, add_options, add_style, understood
from app.engine import load_engine
from app.exit_codes import ExitCode
from models.clips.interface import (
    ClipError,
    ClipKind,
    ClipLimits,
    ClipNote,
    ClipReport,
    PaintedClip,
    check_clip,
)
from models.clips.probing import probe
from models.interface import StepReport
from styles.catalog import default_catalog

if TYPE_CHECKING:
    from app.settings import Settings

SUFFIX = ".mp4"
_AUTO = "auto"
_SIZE_PX = 480
_SECONDS = 60.0
_NOTES = {
    ClipNote.SHRUNK: "painted smaller than asked for: memory ran out",
    ClipNote.SIZE_REDUCED: "painted smaller than asked for: the file would have been too large",
    ClipNote.SOUND_LEFT_OUT: "without its sound: an MP4 doesn't take it",
    ClipNote.CUT_OFF: "ends where the source could not be read any further",
}
_EPILOG = """\
The painted clip is an MP4, called CLIP-STYLE.mp4 unless -o names a file. A file that is there
already is replaced; the clip itself and the style pictures are only with --force. Ctrl-C leaves
nothing half written."""


def add_clip(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `clip`."""
    limits = ClipLimits()
    parser.epilog = _EPILOG
    parser.add_argument(
        "clip", metavar="CLIP", help="an MP4, MOV, WEBM, GIF or WEBP, or - for standard input"
    )
    add_style(parser)
    parser.add_argument(
        "-o",
        "--out",
        help="an .mp4 file, a folder, or - for standard output; beside the clip if not given",
    )
    parser.add_argument(
        "--force", action="store_true", help="write over the clip or a style picture if -o says so"
    )
    parser.add_argument(
        "--kind",
        choices=[_AUTO, *(kind.value for kind in ClipKind)],
        default=_AUTO,
        help="an animation is silent, a video_note square and at most a minute; "
        "auto is a video if there is sound",
    )
    parser.add_argument("--size", type=int, default=_SIZE_PX, help="long side in pixels")
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="no longer clip is painted")
    parser.add_argument(
        "--fps", type=float, default=limits.frames_per_s, help="no more frames a second are painted"
    )
    add_options(parser)
    add_engine(parser)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="say what was done as JSON")


def clip(args: argparse.Namespace, settings: Settings) -> int:
    """Paint the clip. Raises `UsageError`, `OutputError`, `EngineError`, OSError."""
    wish = understood(args, default_catalog(settings.styles_dir), size_px=args.size, seed=args.seed)
    limits = _limits(args)
    if os.path.isdir(args.clip):
        raise UsageError(f"{args.clip} is a folder; one clip is painted at a time")
    with gathered([args.clip]) as (source,):
        out = _output(source, wish, args.out, as_json=args.json)
        kind = _checked_kind(source, args.kind, limits)
        _check_output(out, source, wish, limits, args)
        stylizer = load_engine(with_engine(args, settings))
        with ProgressBar(1, unit="frame") as bar, _written(out) as path:
            painted = stylizer.stylize_clip(
                source.path,
                wish.styles,
                wish.options,
                output=path,
                kind=kind,
                limits=limits,
                on_frame=lambda report: bar.show(_as_step(report)),
            )
        _say(bar, source, out, painted, wish, as_json=args.json)
    return ExitCode.DONE


def _limits(args: argparse.Namespace) -> ClipLimits:
    for name in ("seconds", "fps"):
        value = getattr(args, name)
        if not (math.isfinite(value) and value > 0):
            raise UsageError(f"--{name} must be above 0, not {value}")
    return ClipLimits(seconds=args.seconds, frames_per_s=args.fps)


def _output(source: Photo, wish: Wish, out: str | None, *, as_json: bool) -> Path | None:
    """Which file it goes to; None is standard output. Raises UsageError."""
    if out == STDOUT or (out is None and str(source.name) == "standard input"):
        if as_json:
            raise UsageError("--json and the clip can't both go to standard output")
        return None
    if out is None or means_a_folder(out):
        folder = source.folder if out is None else Path(out)
        return folder / f"{source.stem}-{wish.label}{SUFFIX}"
    if Path(out).suffix.lower() != SUFFIX:
        raise UsageError(f"{out} can't be written: a clip's name must end in {SUFFIX}")
    return Path(out)


def _checked_kind(source: Photo, asked: str, limits: ClipLimits) -> ClipKind:
    """What it is to become; looks at the clip first. Raises UsageError."""
    try:
        facts = probe(source.path)
        usual = ClipKind.VIDEO if facts.has_sound else ClipKind.ANIMATION
        kind = usual if asked == _AUTO else ClipKind(asked)
        check_clip(facts, kind, limits)
    except ClipError as error:
        raise UsageError(f"{source.name}: {error}") from error
    return kind


def _check_output(
    out: Path | None, source: Photo, wish: Wish, limits: ClipLimits, args: argparse.Namespace
) -> None:
    """Before the painting, which may take minutes: can it be written? Raises UsageError."""
    if out is None:
        check_stdout()
        return
    if args.out is not None and means_a_folder(args.out):
        make_folder(out.parent)
    check_place(out)
    if not args.force:
        check_precious(out, [source.path, *(style.picture for style in wish.styles)])
    # Twice: with its sound it is written anew.
    check_free(out.resolve().parent, 2 * limits.out_bytes)


@contextmanager
def _written(out: Path | None) -> Iterator[Path]:
    """Where the engine writes to. Raises OutputError."""
    if out is not None:
        try:
            yield out.resolve()
        except OSError as error:
            raise cannot_write(str(out), error) from error
        return
    with tempfile.TemporaryDirectory(prefix="clip-") as folder:
        path = Path(folder) / f"clip{SUFFIX}"
        yield path
        try:
            with path.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise cannot_write("standard output", error) from error


def _as_step(report: ClipReport) -> StepReport:
    return StepReport(
        step=report.frame,
        steps=report.frames,
        seconds_spent=report.seconds_spent,
        seconds_left=report.seconds_left,
    )


def _say(
    bar: ProgressBar,
    source: Photo,
    out: Path | None,
    painted: PaintedClip,
    wish: Wish,
    *,
    as_json: bool,
) -> None:
    for note in sorted(painted.notes & _NOTES.keys()):
        bar.complain(f"{source.name}: {_NOTES[note]}")
    if as_json:
        bar.print(json.dumps(_summary(source, out, painted)))
    elif out is not None:
        bar.print(str(out))


def _summary(source: Photo, out: Path | None, painted: PaintedClip) -> dict[str, object]:
    used = painted.options
    return {
        "clip": source.name,
        "out": str(out),
        "kind": painted.kind,
        "width_px": painted.width_px,
        "height_px": painted.height_px,
        "seconds_long": round(painted.seconds_long, 3),
        "frames": painted.frames,
        "has_sound": painted.has_sound,
        "strength": used.strength,
        "keep_colors": used.keep_colors,
        "keep_faces": used.keep_faces,
        "brush": used.brush,
        "seed": used.seed,
        "seconds": round(painted.seconds, 3),
        "notes": sorted(painted.notes),
    }
