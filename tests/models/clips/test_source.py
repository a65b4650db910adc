"""Clips of every kind: what is said about them, which frames come out, and what is refused."""

from __future__ import annotations

import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from models.clips.frame_pixels import over_white
from models.clips.interface import (
    ClipError,
    ClipKind,
    ClipLimits,
    ClipProblem,
    check_clip,
)
from models.clips.source import read_facts, read_frames
from models.clips.timeline import TICKS_PER_S, Shown
from tests.clip_files import (
    Pixels,
    pictures,
    quadrants,
    save_clip,
    save_moving,
    scenes,
)

SIZE = (64, 48)
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def corners(pixels: Pixels) -> list[tuple[int, ...]]:
    """Colours above left, above right, below left, below right, each channel none or all."""
    places = [(4, 4), (4, -5), (-5, 4), (-5, -5)]
    return [tuple(int(255 * (level > 127)) for level in pixels[place]) for place in places]


def frames_of(
    path: Path,
    size: tuple[int, int] = SIZE,
    *,
    crop: bool = False,
    frames_per_s: float | None = None,
) -> list[tuple[Shown, Pixels]]:
    return list(read_frames(path, size, crop=crop, frames_per_s=frames_per_s))


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("a.mp4", {}),
        ("a.mov", {"sound": "aac"}),
        ("a.webm", {"codec": "libvpx-vp9", "sound": "libopus"}),
        ("a.mkv", {"sound": "mp3"}),
        ("a.ts", {}),
        ("a.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
    ],
)
def test_videos(name: str, how: dict[str, object], tmp_path: Path) -> None:
    path = save_clip(tmp_path / name, scenes(8, SIZE), **how)  # type: ignore[arg-type]
    facts = read_facts(path)
    assert (facts.frames, facts.width_px, facts.height_px) == (8, *SIZE)
    assert facts.has_sound == ("sound" in how)
    assert facts.seconds == pytest.approx(0.8, abs=0.11)
    found = frames_of(path)
    assert [shown.begin for shown, _ in found] == [9000 * number for number in range(8)]
    assert np.abs(found[3][1].astype(int) - scenes(8, SIZE)[3]).mean() < 12


def test_times_are_kept_where_they_vary(tmp_path: Path) -> None:
    times = [0, 9000, 12_000, 30_000, 31_000, 45_000]
    found = frames_of(save_clip(tmp_path / "a.mp4", scenes(6, SIZE), times=times))
    assert [shown.begin for shown, _ in found] == times
    assert [shown.length for shown, _ in found][:-1] == list(np.diff(times))


def test_a_clip_begins_at_its_first_frame(tmp_path: Path) -> None:
    path = save_clip(tmp_path / "a.mkv", scenes(3, SIZE), times=[90_000, 99_000, 108_000])
    assert read_facts(path).seconds == pytest.approx(0.3, abs=0.01)
    assert [shown.begin for shown, _ in frames_of(path)] == [0, 9000, 18_000]


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_moving_pictures_last_as_long_as_they_say(name: str, tmp_path: Path) -> None:
    lengths = [100, 50, 200, 70]
    path = save_moving(tmp_path / name, pictures(scenes(4, SIZE)), lengths_ms=lengths)
    facts = read_facts(path)
    assert (facts.frames, facts.width_px, facts.height_px) == (4, *SIZE)
    assert facts.seconds == pytest.approx(0.42)
    assert [shown.length * 1000 // TICKS_PER_S for shown, _ in frames_of(path)] == lengths


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_frames_without_a_length_last_a_tenth_of_a_second(name: str, tmp_path: Path) -> None:
    path = save_moving(tmp_path / name, pictures(scenes(3, SIZE)), lengths_ms=0)
    assert read_facts(path).seconds == pytest.approx(0.3)


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_what_is_transparent_lies_over_white(name: str, tmp_path: Path) -> None:
    frames = []
    for left in (0, 32):
        frame = Image.new("RGBA", SIZE, (0, 0, 0, 0))
        frame.paste((255, 0, 0, 255), (left, 0, left + 32, 24))
        frames.append(frame)
    path = save_moving(tmp_path / name, frames, disposal=2)
    first, second = (pixels for _, pixels in frames_of(path))
    assert corners(first) == [RED, WHITE, WHITE, WHITE]
    assert corners(second) == [WHITE, RED, WHITE, WHITE]


def test_half_opacity_is_half_white() -> None:
    pixels = np.array([[[255, 0, 0, 128], [0, 0, 0, 255], [9, 9, 9, 0]]], np.uint8)
    assert over_white(pixels).tolist() == [[[255, 127, 127], [0, 0, 0], [255, 255, 255]]]


@pytest.mark.parametrize(
    ("rotation", "seen"),
    [
        (0, [RED, GREEN, BLUE, WHITE]),
        (90, [GREEN, WHITE, RED, BLUE]),
        (180, [WHITE, BLUE, GREEN, RED]),
        (-90, [BLUE, RED, WHITE, GREEN]),
    ],
)
def test_frames_are_upright(rotation: int, seen: list[object], tmp_path: Path) -> None:
    path = save_clip(tmp_path / "a.mp4", [quadrants(SIZE)] * 2, rotation=rotation)
    facts = read_facts(path)
    size = facts.width_px, facts.height_px
    assert size == (SIZE if rotation in {0, 180} else SIZE[::-1])
    assert corners(frames_of(path, size)[0][1]) == seen


def test_the_middle_is_cut_out_of_a_note(tmp_path: Path) -> None:
    pixels = np.zeros((48, 96, 3), np.uint8)
    pixels[:, 24:72] = quadrants((48, 48))
    path = save_clip(tmp_path / "a.mp4", [pixels] * 2)
    found = frames_of(path, (48, 48), crop=True)[0][1]
    assert found.shape == (48, 48, 3)
    assert corners(found) == [RED, GREEN, BLUE, WHITE]


def test_pixels_are_made_square(tmp_path: Path) -> None:
    path = save_clip(tmp_path / "a.mkv", scenes(2, SIZE), sample_aspect_ratio=Fraction(2))
    assert (read_facts(path).width_px, read_facts(path).height_px) == (128, 48)


def test_odd_sides_become_even(tmp_path: Path) -> None:
    path = save_clip(
        tmp_path / "a.webm", scenes(2, (63, 47)), codec="libvpx-vp9", pix_fmt="yuv444p"
    )
    facts = read_facts(path)
    assert (facts.width_px, facts.height_px) == (63, 47)
    size = facts.painted_size(ClipKind.VIDEO, 63)
    assert size == (62, 46)
    assert frames_of(path, size)[0][1].shape == (46, 62, 3)


def test_of_a_quick_clip_each_eighth_frame_is_read(tmp_path: Path) -> None:
    path = save_clip(tmp_path / "a.mp4", scenes(32, (32, 32)), fps=240)
    facts = read_facts(path)
    assert facts.frames_to_paint(ClipLimits()) == 4
    found = frames_of(path, (32, 32), frames_per_s=30)
    assert [shown.begin for shown, _ in found] == [0, 3000, 6000, 9000]
    assert sum(shown.length for shown, _ in found) == pytest.approx(32 * TICKS_PER_S / 240, abs=400)


@pytest.mark.parametrize(("transfer", "white"), [(16, 0.5806), (18, 0.75)])
def test_white_of_a_high_dynamic_range_is_white(
    transfer: int, white: float, tmp_path: Path
) -> None:
    # A code of PQ and one of HLG that mean white paper; a player without HDR would show it grey.
    level = round(64 + white * 876)
    path = tmp_path / "a.mkv"
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace = transfer, 9, 9
        for _ in range(2):
            frame = av.VideoFrame(*SIZE, "yuv420p10le")
            for plane, value in zip(frame.planes, (level, 512, 512), strict=True):
                plane.update(np.full(plane.buffer_size // 2, value, np.uint16).tobytes())
            frame.color_trc, frame.color_primaries, frame.colorspace = transfer, 9, 9
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert 225 < frames_of(path)[0][1].mean() < 250


def test_frames_that_cannot_be_decoded_are_left_out(tmp_path: Path) -> None:
    path = save_clip(tmp_path / "a.mkv", scenes(12, SIZE), codec="mjpeg", pix_fmt="yuvj420p")
    data = bytearray(path.read_bytes())
    marks = [at for at in range(len(data)) if data[at : at + 3] == b"\xff\xd8\xff"]
    data[marks[5] : marks[5] + 200] = bytes(200)
    path.write_bytes(data)
    assert 10 <= len(frames_of(path)) <= 12


def problem_of(path: Path, *, limits: ClipLimits | None = None) -> ClipProblem:
    """Why a file is refused, by its facts or by the limits."""
    with pytest.raises(ClipError) as refused:
        check_clip(read_facts(path), ClipKind.VIDEO, limits or ClipLimits())
    return refused.value.problem


def gif(size: tuple[int, int], frames: int, *, length: int = 10) -> bytes:
    """A GIF of black frames of 1 px on a canvas of any size."""
    head = b"GIF89a" + struct.pack("<HH", *size) + b"\x80\x00\x00" + bytes(6)
    frame = b"!\xf9\x04\x00" + struct.pack("<H", length) + b"\x00\x00"
    frame += b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00"
    return head + frame * frames + b";"


def webp(size: tuple[int, int], frames: int) -> bytes:
    """The header of a moving WEBP, with chunks of frames that hold nothing."""
    width, height = (side - 1 for side in size)
    canvas = bytes([2, 0, 0, 0]) + width.to_bytes(3, "little") + height.to_bytes(3, "little")
    body = b"VP8X" + struct.pack("<I", 10) + canvas
    frame = bytes(12) + (40).to_bytes(3, "little") + b"\x00"
    body += (b"ANMF" + struct.pack("<I", len(frame)) + frame) * frames
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", ClipProblem.NOT_A_CLIP),
        (b"just a text", ClipProblem.NOT_A_CLIP),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", ClipProblem.NOT_A_CLIP),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", ClipProblem.NOT_A_CLIP),
        (b"\x00\x00\x00\x20ftypheic" + bytes(50), ClipProblem.NOT_A_CLIP),
        (b"ID3\x04" + bytes(100), ClipProblem.NO_PICTURE),
        (b"\x00\x00\x00\x20ftypisom" + bytes(range(256)) * 9, ClipProblem.DAMAGED),
        (b"\x1aE\xdf\xa3" + bytes(range(256)) * 9, ClipProblem.DAMAGED),
        (b"GIF89a", ClipProblem.DAMAGED),
        (b"RIFF\x00\x01\x00\x00AVI " + bytes(200), ClipProblem.DAMAGED),
        (gif((1, 1), 10_000), ClipProblem.TOO_SMALL),
        (gif((64, 48), 10_000), ClipProblem.TOO_LONG),
        (gif((7680, 4320), 3), ClipProblem.TOO_MANY_PIXELS),
        (gif((65_535, 65_535), 3), ClipProblem.TOO_MANY_PIXELS),
        (gif((0, 0), 3), ClipProblem.DAMAGED),
        (gif((2000, 20), 3), ClipProblem.TOO_NARROW),
        (gif((64, 48), 1), ClipProblem.STILL),
        (gif((64, 48), 1) + bytes(9), ClipProblem.STILL),
        (gif((64, 48), 0), ClipProblem.DAMAGED),
        (webp((16_383, 16_383), 3), ClipProblem.TOO_MANY_PIXELS),
    ],
)
def test_a_bad_file_is_one_sentence(data: bytes, problem: ClipProblem, tmp_path: Path) -> None:
    path = tmp_path / "bad"
    path.write_bytes(data)
    assert problem_of(path) is problem


def big_endian(*sides: int) -> bytes:
    return struct.pack(f">{len(sides)}H", *sides)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "declared", "larger"),
    [
        ("a.mov", "qtrle", "rgb24", big_endian(*SIZE), big_endian(65_535, 65_535)),
        ("a.mov", "mjpeg", "yuvj420p", big_endian(*SIZE[::-1]), big_endian(65_535, 65_535)),
        ("a.avi", "mjpeg", "yuvj420p", big_endian(*SIZE[::-1]), big_endian(20_000, 20_000)),
        ("a.webm", "libvpx", "yuv420p", b"\x2a\x40\x00\x30\x00", b"\x2a\xff\x3f\xff\x3f"),
    ],
)
def test_what_no_decoder_takes_is_too_large_and_not_damaged(
    name: str, codec: str, pix_fmt: str, declared: bytes, larger: bytes, tmp_path: Path
) -> None:
    path = save_clip(tmp_path / name, scenes(3, SIZE), codec=codec, pix_fmt=pix_fmt)
    data = path.read_bytes()
    assert declared in data
    path.write_bytes(data.replace(declared, larger))
    assert problem_of(path) is ClipProblem.TOO_MANY_PIXELS


def test_a_codec_that_nobody_knows_is_one_sentence(tmp_path: Path) -> None:
    path = save_clip(tmp_path / "a.mp4", scenes(3, SIZE), sound="aac")
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))
    assert problem_of(path) is ClipProblem.NOT_A_CLIP


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    assert problem_of(tmp_path / "none.mp4") is ClipProblem.MISSING


def test_sound_alone_is_no_clip(tmp_path: Path) -> None:
    path = save_clip(tmp_path / "a.mp4", scenes(3, SIZE), sound="aac")
    with av.open(path) as source, av.open(tmp_path / "b.mp4", "w") as target:
        sound = source.streams.audio[0]
        copied = target.add_stream_from_template(sound)
        for packet in source.demux(sound):
            if packet.dts is not None:
                packet.stream = copied
                target.mux(packet)
    assert problem_of(tmp_path / "b.mp4") is ClipProblem.NO_PICTURE


def test_a_still_picture_is_no_clip(tmp_path: Path) -> None:
    for name, problem in (("a.jpg", ClipProblem.NOT_A_CLIP), ("a.webp", ClipProblem.STILL)):
        Image.fromarray(quadrants(SIZE)).save(tmp_path / name)
        assert problem_of(tmp_path / name) is problem
    for name in ("a.mp4", "a.mkv", "a.avi"):
        path = save_clip(tmp_path / name, scenes(1, SIZE), codec="mjpeg", pix_fmt="yuvj420p")
        assert problem_of(path) is ClipProblem.STILL


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("index_in_front", [False, True])
def test_a_video_that_is_cut_off_is_damaged(
    share: float, index_in_front: bool, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    noise = [random.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(30)]
    path = save_clip(tmp_path / "a.mp4", noise, faststart=index_in_front)
    data = path.read_bytes()
    path.write_bytes(data[: round(share * len(data))])
    if index_in_front and share > 0.9:
        assert 25 <= read_facts(path).frames <= 30
    else:
        assert problem_of(path) is ClipProblem.DAMAGED


def with_sound_first(path: Path, target: Path) -> Path:
    """A clip whose index speaks of its sound before it does of its picture."""
    with av.open(path) as source, av.open(target, "w") as copy:
        streams = {
            stream.index: copy.add_stream_from_template(stream)
            for stream in (source.streams.audio[0], source.streams.video[0])
        }
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                copy.mux(packet)
    return target


@pytest.mark.parametrize("name", ["b.mp4", "b.mov", "b.mkv", "b.ogv", "b.avi", "b.ts"])
def test_a_file_is_damaged_wherever_it_is_cut_off_before_its_picture_is_known(
    name: str, tmp_path: Path
) -> None:
    codec, sound, pix_fmt = {
        "b.ogv": ("libvpx", "libopus", "yuv420p"),
        "b.avi": ("mjpeg", "mp3", "yuvj420p"),
    }.get(name, ("libx264", "mp3", "yuv420p"))
    clip = save_clip(tmp_path / "a.mkv", scenes(6, SIZE), codec=codec, sound=sound, pix_fmt=pix_fmt)
    data = with_sound_first(clip, tmp_path / name).read_bytes()
    path = tmp_path / f"cut-{name}"
    begin, end = cut_places(data, name)
    for place in np.linspace(begin, end, 40).astype(int):
        path.write_bytes(data[:place])
        assert problem_of(path) is ClipProblem.DAMAGED, place


@pytest.mark.parametrize("name", ["a.gif", "a.avi", "a.mkv"])
def test_a_clip_of_which_one_frame_is_left_is_no_still_picture(name: str, tmp_path: Path) -> None:
    frames = scenes(6, SIZE)
    if name == "a.gif":
        path = save_moving(tmp_path / name, pictures(frames))
    else:
        path = save_clip(tmp_path / name, frames, codec="mjpeg", pix_fmt="yuvj420p")
    data, found = path.read_bytes(), set[int | ClipProblem]()
    for place in np.linspace(len(data) / 8, len(data), 60).astype(int):
        path.write_bytes(data[:place])
        try:
            found.add(read_facts(path).frames)
        except ClipError as error:
            found.add(error.problem)
    assert found == {ClipProblem.DAMAGED, 2, 3, 4, 5, 6}


def cut_places(data: bytes, name: str) -> tuple[int, int]:
    """The index of MP4 and MOV, which lies behind all else; of others the beginning."""
    if name in {"b.mp4", "b.mov"}:
        return data.index(b"moov") + 4, len(data) - 1
    return 200 if name == "b.ts" else 16, 700


def test_what_is_longer_than_granted_is_refused(tmp_path: Path) -> None:
    path = save_clip(tmp_path / "a.mp4", scenes(8, SIZE), fps=2)
    assert problem_of(path, limits=ClipLimits(seconds=3)) is ClipProblem.TOO_LONG
    check_clip(read_facts(path), ClipKind.VIDEO, replace(ClipLimits(), seconds=4))
