"""Score the engine: `python -m models.training.evaluate --data DIR --method draft standard`.

Paints fixed pairs of the validation split, which no training sees, and prints the two figures of
`figures` for every method. Beside the engine's qualities a method can be `photo`, the photo left
alone, or the name of a folder of pictures that something else has painted (`--results`).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

import torch
from PIL import Image, ImageOps
from tqdm import tqdm

from models.images import to_tensor
from models.interface import Quality, Style, StyleOptions
from models.pictures import fit_size, open_picture
from models.stylizer import load_stylizer
from models.training.data import picture_paths
from models.training.figures import LONG_SIDE_PX, Judge
from models.training.teachers import load_slim_vgg19, load_vgg19

Painter = Callable[[Path, Path], Image.Image]
"""From a photo's and a style picture's path to the painting."""

METHODS = ("photo", *(quality.value for quality in Quality))
_SHEET_CELL_PX = 256


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
    style_gap_closed: float
    content_kept: float
    seconds: float


def validation_pairs(data: Path, count: int) -> list[Pair]:
    """`count` fixed pairs, spread evenly over the validation photos and styles."""
    photos = picture_paths(data / "photos", "validation")
    styles = picture_paths(data / "styles", "validation")
    return [
        Pair(photos[place * len(photos) // count], styles[place * len(styles) // count])
        for place in range(count)
    ]


def engine_painter(quality: Quality, *, strength: int, device: str) -> Painter:
    """The engine at one quality."""
    stylizer = load_stylizer(encoder="slim", device="cuda" if device == "cuda" else "cpu")
    options = StyleOptions(quality=quality, size_px=LONG_SIDE_PX, strength=strength)
    return lambda photo, style: stylizer.stylize(photo, [Style(style)], options).picture


def folder_painter(folder: Path) -> Painter:
    """Paintings made elsewhere: `folder`/PHOTO_STYLE.png, named as `Pair.name` says."""
    return lambda photo, style: open_picture(folder / f"{Pair(photo, style).name}.png")


def score(
    method: str, painter: Painter, pairs: Sequence[Pair], judge: Judge, device: str
) -> tuple[Score, list[Image.Image]]:
    """Paint all pairs and judge them; returns the means and the paintings."""
    paintings, figures, seconds = [], [], []
    for pair in tqdm(pairs, desc=method):
        photo, style = sized(open_picture(pair.photo)), sized(open_picture(pair.style))
        began = time.perf_counter()
        painting = painter(pair.photo, pair.style)
        seconds.append(time.perf_counter() - began)
        painting = painting.resize(photo.size, Image.Resampling.LANCZOS)
        figures.append(judge(*(to_tensor(picture, device) for picture in (photo, style, painting))))
        paintings.append(painting)
    closed, kept = (fmean(column) for column in zip(*figures, strict=True))
    return Score(method, round(closed, 3), round(kept, 3), round(fmean(seconds), 2)), paintings


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
    """The scores as Markdown."""
    lines = ["| method | style gap closed | content kept | seconds |", "|---|---|---|---|"]
    lines += [
        f"| {s.method} | {s.style_gap_closed:.3f} | {s.content_kept:.3f} | {s.seconds:.2f} |"
        for s in scores
    ]
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    wishes = _arguments()
    pairs = validation_pairs(wishes.data, wishes.pairs)
    judge = Judge(load_vgg19(wishes.data), load_slim_vgg19(wishes.data)).to(wishes.device)
    scores, columns = [], []
    for method, painter in _painters(wishes).items():
        scored, paintings = score(method, painter, pairs, judge, wishes.device)
        scores.append(scored)
        columns.append(paintings)
    if wishes.sheet:
        contact_sheet(pairs, columns).save(wishes.sheet)
    report = json.dumps([asdict(s) for s in scores], indent=2) if wishes.json else table(scores)
    sys.stdout.write(report + "\n")


def _painters(wishes: argparse.Namespace) -> dict[str, Painter]:
    painters: dict[str, Painter] = {}
    for method in wishes.method:
        if method == "photo":
            painters[method] = lambda photo, _: open_picture(photo)
        else:
            painters[method] = engine_painter(
                Quality(method), strength=wishes.strength, device=wishes.device
            )
    for folder in wishes.results:
        painters[folder.name] = folder_painter(folder)
    return painters


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="photos/, styles/ and teacher/")
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--method", nargs="*", choices=METHODS, default=["draft"])
    parser.add_argument("--results", nargs="*", type=Path, default=[], metavar="DIR")
    parser.add_argument("--strength", type=int, default=StyleOptions().strength)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--sheet", type=Path, help="write a contact sheet to this PNG")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
