"""How a painting came about as a short film without sound: H.264 in MP4, as phones play it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

from app.pictures.frames import decode_frame, read_frames
from models.pictures.problems import PictureError
from models.pictures.reading import open_picture

LONG_SIDE_PX: Final = 720
FRAMES_PER_S: Final = 25
OPENING_S: Final = 0.8
"""The photo, or the first frame, before anything changes."""
LONGEST_CHANGE_S: Final = 0.9
"""From one picture to the next, on average, where there are few."""
FADE_S: Final = 0.8
"""How much of that is a cross-fade, at most."""
CHANGES_S: Final = 7.0
"""All changes together, where there are many."""
ENDING_S: Final = 2.0
"""The finished painting. All in all it is less than 10 s."""
MAX_BITS_PER_S: Final = 8_000_000
"""Strokes and dots are hard to compress; with this a film stays below 11 MB."""

THUMB_SIZE_PX: Final = (48, 48)

Load = Callable[[], Image.Image]


@dataclass(frozen=True, slots=True)
class Film:
    """An MP4 and what its player should know before it is there."""

    data: bytes
    width_px: int
    height_px: int
    seconds: float


def film_of(photo: Path, frames: Path, painting: Path) -> Film:
    """Blocking: from the photo, if it is still there, to the painting.

    Raises PictureError where the painting is gone, OSError or `zipfile.BadZipFile` where the frames
    are, and `av.FFmpegError`.
    """
    last = open_picture(painting, long_side_px=LONG_SIDE_PX)
    width, height = (max(2, side // 2 * 2) for side in last.size)
    load: list[Load] = [partial(decode_frame, frame) for frame in read_frames(frames)]
    try:
        first = open_picture(photo, long_side_px=LONG_SIDE_PX)
    except PictureError:
        pass
    else:
        load.insert(0, lambda: first)
    load.append(lambda: last)
    return _encoded(_timeline(load, (width, height)), (width, height))


def _timeline(pictures: Sequence[Load], size: tuple[int, int]) -> Iterator[Image.Image]:
    """The film's pictures, `FRAMES_PER_S` of them a second; two are held at a time."""
    before = _sized(pictures[0](), size)
    yield from _still(before, OPENING_S)
    shown, changes_end = 0, 0.0
    for load, change_s in zip(pictures[1:], _change_times_s(pictures), strict=True):
        after = _sized(load(), size)
        changes_end += change_s
        fade_s = min(FADE_S, change_s)
        # Counted from the beginning: rounded one by one, short changes would add up to another sum.
        until = round(changes_end * FRAMES_PER_S)
        for number in range(shown, until):
            left_s = changes_end - (number + 1) / FRAMES_PER_S
            yield _faded(before, after, 1 - min(1.0, max(0.0, left_s / fade_s)))
        shown, before = until, after
    yield from _still(before, ENDING_S)


def _change_times_s(pictures: Sequence[Load]) -> list[float]:
    """How long each change takes: the more there is to see in it, the longer."""
    thumbs = [np.asarray(load().resize(THUMB_SIZE_PX), dtype=np.float64) for load in pictures]
    changes = [float(np.abs(after - before).mean()) for before, after in pairwise(thumbs)]
    all_s = min(CHANGES_S, LONGEST_CHANGE_S * len(changes))
    total = sum(changes)
    shares = [change / total if total else 1 / len(changes) for change in changes]
    # Half of it goes by the clock: nothing stands still, and nothing jumps.
    return [all_s * (0.5 / len(changes) + 0.5 * share) for share in shares]


def _still(picture: Image.Image, seconds: float) -> Iterator[Image.Image]:
    for _ in range(round(seconds * FRAMES_PER_S)):
        yield picture


def _faded(before: Image.Image, after: Image.Image, share: float) -> Image.Image:
    smooth = share * share * (3 - 2 * share)
    return Image.blend(before, after, smooth)


def _sized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return picture.resize(size, Image.Resampling.LANCZOS) if picture.size != size else picture


def _encoded(pictures: Iterator[Image.Image], size: tuple[int, int]) -> Film:
    count = 0
    # Not into memory at once: to have its index in front, a file is written twice.
    with tempfile.TemporaryDirectory(prefix="film-") as folder:
        path = Path(folder) / "film.mp4"
        with av.open(path, "w", format="mp4", options={"movflags": "+faststart"}) as container:
            options = {
                "preset": "veryfast",
                "crf": "20",
                "maxrate": str(MAX_BITS_PER_S),
                "bufsize": str(MAX_BITS_PER_S),
            }
            stream = container.add_stream("libx264", rate=FRAMES_PER_S, options=options)
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            context = stream.codec_context
            # Said and not left to the player's guess, which depends on the size.
            context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
            context.color_range = ColorRange.MPEG
            context.thread_count = 1
            for picture in pictures:
                frame = _as_frame(picture).reformat(
                    format="yuv420p",
                    dst_colorspace=Colorspace.ITU709,
                    dst_color_range=ColorRange.MPEG,
                )
                frame.pts = None
                container.mux(stream.encode(frame))
                count += 1
            container.mux(stream.encode())
        return Film(path.read_bytes(), *size, seconds=count / FRAMES_PER_S)


def _as_frame(picture: Image.Image) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
