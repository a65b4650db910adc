"""Paint photos of people in every preset, faces as painted and natural, and judge both.

`python -m styles.make_faces` makes a sheet of the sample photos' faces: photo, as painted, natural.
`--data DIR` judges them as well: whether the detector finds each face again, and how much style and
content there is inside and outside of it. With `--json` that comes as JSON. It takes about half a
minute a picture without a GPU.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from models.engine.loading import load_stylizer
from models.face_mask import FaceMask
from models.faces import Face, FaceFinder, load_face_finder
from models.interface import Quality, StyleOptions, Stylizer
from models.pictures.reading import open_picture
from models.pictures.written_formats import save_picture
from models.tensors.images import to_tensor
from models.training.evaluation.face_figures import (
    FoundAgain,
    RegionFigures,
    find_again,
    judged_features,
    region_figures,
)
from models.training.evaluation.judge import Judge, load_judge
from models.weights_cache import DEFAULT_CACHE_DIR
from styles.catalog import default_catalog
from styles.gallery import grid_sheet
from styles.make_gallery import SIZE_PX, paint_preset
from styles.preset import Preset

SAMPLES = Path(__file__).parent / "samples"
PHOTOS = (SAMPLES / "face.jpg", *sorted((SAMPLES / "faces").glob("*.jpg")))
SETTINGS = {"as painted": False, "natural": True}

_CELL_PX = 168
_GAP_PX = 4
_AROUND = 2.2
"""Width of what the sheet shows of a photo, in widths of its largest face."""
_LEAST_SCORE = 0.1
"""In paintings even a doubtful face is a face found again."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo and the faces in it."""

    path: Path
    picture: Image.Image
    faces: Sequence[Face]
    features: Mapping[str, Tensor]
    """For the judge, if there is one."""

    def crop(self, picture: Image.Image) -> Image.Image:
        """The largest face of a painting of this photo, or of itself."""
        face, long_side = self.faces[0], max(picture.size)
        half = _AROUND / 2 * face.width * long_side
        x, y = (place * long_side for place in face.centre)
        box = (x - half, y - half, x + half, y + half)
        return picture.crop(box).resize((_CELL_PX, _CELL_PX))


@dataclass(frozen=True, slots=True)
class Judged:
    """One painting of one photo."""

    photo: str
    preset: str
    setting: str
    faces: list[FoundAgain]
    inside: RegionFigures
    outside: RegionFigures


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    args = _arguments(arguments)
    finder, stylizer = load_face_finder(least_score=_LEAST_SCORE), load_stylizer()
    usual = load_face_finder()
    if finder is None or usual is None:
        sys.exit("The face detector can't be used: install requirements.txt.")
    judge = load_judge(args.data, args.cache) if args.data else None
    photos = [_photo(path, usual, judge, args.size) for path in args.photos or PHOTOS]
    if not all(photo.faces for photo in photos):
        sys.exit("There is a photo without a face among them.")
    presets = [p for p in default_catalog().presets() if not args.only or p.slug in args.only]
    rows, judged = [], []
    for preset in tqdm(presets, unit="preset"):
        row = []
        style = _features(judge, open_picture(preset.picture, long_side_px=args.size))
        for photo in photos:
            row.append(photo.crop(photo.picture))
            for setting, keep in SETTINGS.items():
                picture = _painted(stylizer, photo.path, preset, args, keep=keep)
                row.append(photo.crop(picture))
                if judge is not None:
                    judged.append(_judged(judge, finder, photo, style, preset, setting, picture))
        rows.append(row)
    if args.sheet:
        save_picture(grid_sheet(rows, gap_px=_GAP_PX), args.sheet)
    if judged:
        sys.stdout.write((_as_json(judged) if args.json else table(judged)) + "\n")


def _painted(
    stylizer: Stylizer, path: Path, preset: Preset, args: argparse.Namespace, *, keep: bool
) -> Image.Image:
    picture = paint_preset(
        stylizer, path, preset, size_px=args.size, quality=args.quality, keep_faces=keep
    )
    if args.paintings:
        word = "natural" if keep else "painted"
        picture.save(args.paintings / f"{path.stem}-{preset.slug}-{word}.png")
    return picture


def _photo(path: Path, finder: FaceFinder, judge: Judge | None, size_px: int) -> Photo:
    picture = open_picture(path, long_side_px=size_px)
    return Photo(path, picture, finder.find(picture), _features(judge, picture))


def _features(judge: Judge | None, picture: Image.Image) -> Mapping[str, Tensor]:
    return {} if judge is None else judged_features(judge.encoder, to_tensor(picture))


def _judged(
    judge: Judge,
    finder: FaceFinder,
    photo: Photo,
    style: Mapping[str, Tensor],
    preset: Preset,
    setting: str,
    picture: Image.Image,
) -> Judged:
    painted = finder.find(picture)
    after = _features(judge, picture)
    size, device = (picture.height, picture.width), torch.device("cpu")
    mask = FaceMask.of(photo.faces, size, long_side_px=max(size), device=device).mask
    inside, outside = (
        region_figures(photo.features, style, after, region) for region in (mask, 1 - mask)
    )
    again = [find_again(face, painted) for face in photo.faces]
    return Judged(photo.path.stem, preset.slug, setting, again, inside, outside)


def table(judged: Iterable[Judged]) -> str:
    """Means over all faces and paintings, a line for each setting; Markdown."""
    everything = list(judged)
    lines = [
        "| faces | found again with 0.6 | landmarks within 5 % of the width | score"
        " | landmarks off, eye distances | style inside / outside | content inside / outside |",
        "|---|---|---|---|---|---|---|",
    ]
    for setting in SETTINGS:
        some = [one for one in everything if one.setting == setting]
        faces = [face for one in some for face in one.faces]
        seen = [face.moved_by_eyes for face in faces if math.isfinite(face.moved_by_eyes)]
        sure = sum(face.score >= 0.6 for face in faces)
        close = sum(face.score >= 0.6 and face.moved <= 0.05 for face in faces)
        lines.append(
            f"| {setting} | {sure} of {len(faces)} | {close} of {len(faces)}"
            f" | {fmean(face.score for face in faces):.2f} | {fmean(seen or [math.inf]):.3f}"
            f" | {fmean(one.inside.gram_gap_closed for one in some):.2f} /"
            f" {fmean(one.outside.gram_gap_closed for one in some):.2f}"
            f" | {fmean(one.inside.content_kept for one in some):.2f} /"
            f" {fmean(one.outside.content_kept for one in some):.2f} |"
        )
    return "\n".join(lines)


def _as_json(judged: Sequence[Judged]) -> str:
    return json.dumps([asdict(one) for one in judged], indent=1)


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m styles.make_faces", description=__doc__)
    parser.add_argument("photos", nargs="*", type=Path, help="instead of the samples")
    parser.add_argument("--only", nargs="*", metavar="SLUG", help="only these presets")
    parser.add_argument("--size", type=int, default=SIZE_PX, metavar="PX", help="long side")
    parser.add_argument("--quality", type=Quality, default=StyleOptions().quality)
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="faces side by side")
    parser.add_argument("--paintings", type=Path, metavar="DIR", help="every painting, as PNG")
    parser.add_argument("--data", type=Path, metavar="DIR", help="judge, with DIR/teacher")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE_DIR, metavar="DIR")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
