"""`run.py stylize` and `run.py demo`: painting without a chat."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.engine import add_engine, with_engine
from app.commands.errors import UsageError, complain, explained
from app.commands.outputs import (
    STDOUT,
    Output,
    check_outputs,
    check_room,
    means_a_folder,
    named_output,
    plan_outputs,
)
from app.commands.photos import STDIN, Photo, gathered
from app.commands.progress_bar import ProgressBar
from app.commands.wish import Wish, add_options, add_style, understood
from app.engine import load_engine
from app.exit_codes import ExitCode
from models.interface import (
    DeviceLostError,
    Note,
    Painting,
    Quality,
    StyleOptions,
    Stylizer,
)
from models.pictures.headers import inspect
from models.pictures.problems import PictureError
from models.pictures.sizes import fit_size
from models.pictures.written_formats import PictureFormat
from styles.catalog import default_catalog

if TYPE_CHECKING:
    from app.settings import Settings

_NOTES = {
    Note.SHRUNK: "painted smaller than asked for: memory ran out",
    Note.DIVERGED: "not painted to the end: the numbers ran away; this is the last good picture",
}
_EPILOG = """\
Paintings are called PHOTO-STYLE.jpg unless -o names a file, and numbered where two photos have one
name. A file that is there already is replaced; the photo and the style pictures are only with
--force. What was finished stays when others fail or Ctrl-C ends it."""


def add_stylize(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `stylize`."""
    defaults = StyleOptions()
    parser.epilog = _EPILOG
    parser.add_argument(
        "photos",
        nargs="+",
        metavar="PHOTO",
        help="a file, a folder with photos in it, or - for standard input",
    )
    add_style(parser)
    add_output(
        parser,
        help="a file, a folder (for several photos), or - for standard output; beside the photo "
        "if not given; a file's name says the format: .jpg, .png, .webp, .tiff, .avif",
    )
    parser.add_argument("--quality", choices=[q.value for q in Quality], default=defaults.quality)
    parser.add_argument("--size", type=int, default=defaults.size_px, help="long side in pixels")
    parser.add_argument("--steps", type=int, help="optimiser steps in all")
    add_options(parser)
    add_engine(parser)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument(
        "--json", action="store_true", help="say what was done as JSON, a line for each photo"
    )


def add_output(parser: argparse.ArgumentParser, *, help: str) -> None:  # noqa: A002
    """Declare `-o`, `--format` and `--force`."""
    parser.add_argument("-o", "--out", help=help)
    parser.add_argument(
        "--format",
        choices=[form.value for form in PictureFormat],
        help="where no file name says it",
    )
    parser.add_argument(
        "--force", action="store_true", help="write over the photo or a style picture if -o says so"
    )


def wanted_format(args: argparse.Namespace) -> PictureFormat | None:
    """What `--format` says."""
    return PictureFormat(args.format) if args.format else None


def stylize(args: argparse.Namespace, settings: Settings) -> int:
    """Paint the photos. Raises `UsageError`, `OutputError`, `EngineError`, OSError."""
    wish = understood(
        args,
        default_catalog(settings.styles_dir),
        quality=Quality(args.quality),
        size_px=args.size,
        steps=args.steps,
        seed=args.seed,
    )
    with gathered(args.photos) as photos:
        out = STDOUT if args.out is None and args.photos == [STDIN] else args.out
        several = len(photos) > 1 or any(map(os.path.isdir, args.photos))
        outputs = plan_outputs(photos, out, wanted_format(args), label=wish.label, several=several)
        if args.json and outputs[0].path is None:
            raise UsageError("--json and the picture can't both go to standard output")
        session = _Session(wish, several=several, as_json=args.json)
        tasks = session.usable(photos, outputs)
        check_outputs(
            [task.output for task in tasks],
            pixels=[task.pixels for task in tasks],
            inputs=[*(photo.path for photo in photos), *(style.picture for style in wish.styles)],
            force=args.force,
            make_folders=several or (out is not None and means_a_folder(out)),
        )
        if tasks:
            session.paint(tasks, load_engine(with_engine(args, settings)))
    return session.ended()


def demo(args: argparse.Namespace, settings: Settings) -> int:
    """Paint the sample photo in the first preset and say where the picture lies.

    Raises `UsageError`, `OutputError`, `EngineError`.
    """
    catalog = default_catalog(settings.styles_dir)
    preset = catalog.presets()[0]
    output = named_output(str(settings.data_dir / "demo.jpg"))
    options = preset.hinted(StyleOptions())
    check_outputs([output], pixels=[options.size_px**2], make_folders=True)
    stylizer = load_engine(settings)
    with ProgressBar(pictures=1) as bar:
        painting = stylizer.stylize(catalog.sample, [preset.style], options, on_step=bar.show)
    output.write(painting.picture)
    place = Path(str(output)).resolve()
    print(f"{preset.names['en']}, painted in {painting.seconds:.0f} s: {place}")
    return ExitCode.DONE


@dataclass(frozen=True, slots=True)
class _Task:
    """One photo that its header says nothing against."""

    photo: Photo
    output: Output
    pixels: int
    """Of the painting."""


class _Session:
    """The painting of one command line: what is said about it, and how it ends.

    One photo that fails is an error; one of several is a complaint, and the others go on.
    """

    def __init__(self, wish: Wish, *, several: bool, as_json: bool) -> None:
        self._wish = wish
        self._several = several
        self._as_json = as_json
        self._failed = 0
        self._painted = 0
        self._bar = ProgressBar(pictures=1)

    def ended(self) -> ExitCode:
        """Say what failed in all; gives the exit code."""
        if not self._failed:
            return ExitCode.DONE
        complain(f"{self._failed} of {self._failed + self._painted} photos could not be painted")
        return ExitCode.FAILED

    def usable(self, photos: Sequence[Photo], outputs: Sequence[Output]) -> list[_Task]:
        """Those of the photos that can be painted, by their headers."""
        tasks = []
        for photo, output in zip(photos, outputs, strict=True):
            try:
                facts = inspect(photo.path)
            except PictureError as error:
                self._give_up(photo, error)
                continue
            width, height = fit_size((facts.width_px, facts.height_px), self._wish.options.size_px)
            tasks.append(_Task(photo, output, width * height))
        return tasks

    def paint(self, tasks: Sequence[_Task], stylizer: Stylizer) -> None:
        """Paint all of them under one bar."""
        try:
            with ProgressBar(len(tasks)) as self._bar:
                for task in tasks:
                    self._bar.begin(task.photo.name)
                    try:
                        self._paint_one(task, stylizer)
                    except BrokenPipeError:
                        raise
                    except Exception as error:
                        self._give_up(task.photo, error)
                    self._bar.end()
        except KeyboardInterrupt:
            if self._several:
                self._bar.complain(f"interrupted; {self._painted} of {len(tasks)} are painted")
            raise

    def _paint_one(self, task: _Task, stylizer: Stylizer) -> None:
        # Again: what was free at the start may be full by now, and painting takes minutes.
        check_room([task.output], [task.pixels])
        painting = stylizer.stylize(
            task.photo.path, self._wish.styles, self._wish.options, on_step=self._bar.show
        )
        task.output.write(painting.picture)
        self._painted += 1
        for note in sorted(painting.notes & _NOTES.keys()):
            self._bar.complain(f"{task.photo.name}: {_NOTES[note]}")
        if self._as_json:
            self._bar.print(json.dumps(_summary(task, painting)))
        elif task.output.path is not None:
            self._bar.print(str(task.output))

    def _give_up(self, photo: Photo, error: Exception) -> None:
        explanation = explained(error)
        sentence = explanation[0] if explanation else f"{type(error).__name__}: {error}"
        if not self._several and isinstance(error, PictureError):
            raise UsageError(f"{photo.name}: {sentence}") from error
        # Without its GPU no other can be painted either.
        if not self._several or isinstance(error, DeviceLostError):
            raise error
        self._failed += 1
        self._bar.complain(f"{photo.name}: {sentence}")
        if self._as_json:
            self._bar.print(json.dumps({"photo": photo.name, "error": sentence}))


def _summary(task: _Task, painting: Painting) -> dict[str, object]:
    used = painting.options
    return {
        "photo": task.photo.name,
        "out": str(task.output),
        "width_px": painting.picture.width,
        "height_px": painting.picture.height,
        "quality": used.quality,
        "strength": used.strength,
        "keep_colors": used.keep_colors,
        "keep_faces": used.keep_faces,
        "faces": painting.faces,
        "brush": used.brush,
        "seed": used.seed,
        "steps": painting.steps,
        "seconds": round(painting.seconds, 3),
        "notes": sorted(painting.notes),
    }
