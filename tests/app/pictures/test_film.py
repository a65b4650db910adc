from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from app.pictures.film import ENDING_S, FRAMES_PER_S, LONG_SIDE_PX, Film, film_of
from app.pictures.frames import MAX_FRAMES, encode_frame, write_frames
from models.pictures.problems import PictureError


def make(folder: Path, size: tuple[int, int], colors: Sequence[str], *, photo: bool = True) -> Film:
    """From a red photo over the `colors` to a blue painting."""
    if photo:
        Image.new("RGB", size, "red").save(folder / "photo.png")
    Image.new("RGB", size, "blue").save(folder / "painting.png")
    write_frames([encode_frame(Image.new("RGB", size, c)) for c in colors], folder / "frames.zip")
    return film_of(folder / "photo.png", folder / "frames.zip", folder / "painting.png")


def decoded(film: Film, folder: Path) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    (folder / "film.mp4").write_bytes(film.data)
    with av.open(folder / "film.mp4") as container:
        (stream,) = container.streams
        assert isinstance(stream, av.VideoStream)
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        return [
            frame.to_ndarray(format="rgb24").astype(np.uint8) for frame in container.decode(video=0)
        ]


def is_like(frame: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], color: str) -> bool:
    meant = np.asarray(Image.new("RGB", (1, 1), color))
    return bool(np.abs(frame.astype(float) - meant).mean() < 12)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((101, 75), (100, 74)),
        ((1600, 900), (720, 404)),
        ((900, 1600), (404, 720)),
        ((17, 99), (16, 98)),
    ],
)
def test_its_sides_are_even_and_small(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    film = make(tmp_path, size, ["lime", "yellow"])
    assert (film.width_px, film.height_px) == expected
    assert max(expected) <= LONG_SIDE_PX
    assert {frame.shape for frame in decoded(film, tmp_path)} == {(expected[1], expected[0], 3)}


def test_it_goes_from_the_photo_to_the_painting_which_stays(tmp_path: Path) -> None:
    frames = decoded(make(tmp_path, (64, 48), ["lime", "yellow"]), tmp_path)
    assert is_like(frames[0], "red")
    assert any(is_like(frame, "lime") for frame in frames)
    end = round(ENDING_S * FRAMES_PER_S)
    assert all(is_like(frame, "blue") for frame in frames[-end:])
    assert not is_like(frames[-end - 8], "blue")
    # Cross-fades: nothing jumps.
    jumps = [np.abs(a.astype(float) - b).mean() for a, b in pairwise(frames)]
    assert max(jumps) < 40


@pytest.mark.parametrize("count", [2, 24, MAX_FRAMES])
def test_it_lasts_at_most_ten_seconds(tmp_path: Path, count: int) -> None:
    film = make(tmp_path, (64, 48), ["lime", "yellow"] * (count // 2))
    frames = decoded(film, tmp_path)
    assert len(frames) / FRAMES_PER_S == film.seconds
    assert 3 < film.seconds <= 10


def test_frames_that_are_all_alike_make_a_film_too(tmp_path: Path) -> None:
    assert make(tmp_path, (64, 48), ["blue"] * 5, photo=False).seconds > 3


def test_without_its_photo_it_begins_with_the_first_frame(tmp_path: Path) -> None:
    frames = decoded(make(tmp_path, (64, 48), ["lime", "yellow"], photo=False), tmp_path)
    assert is_like(frames[0], "lime")


def test_players_can_begin_before_all_of_it_is_there(tmp_path: Path) -> None:
    data = make(tmp_path, (64, 48), ["lime", "yellow"]).data
    assert data.index(b"moov") < data.index(b"mdat")


def test_noise_stays_below_what_a_bot_may_send(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 256, (540, 720, 3), dtype=np.uint8)) for _ in range(3)]
    noise[0].save(tmp_path / "painting.png")
    write_frames([encode_frame(each) for each in noise], tmp_path / "frames.zip")
    film = film_of(tmp_path / "photo.png", tmp_path / "frames.zip", tmp_path / "painting.png")
    assert len(film.data) < 50_000_000 / 2


def test_a_painting_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PictureError):
        film_of(tmp_path / "photo.png", tmp_path / "frames.zip", tmp_path / "painting.png")
