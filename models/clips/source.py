"""A stranger's clip: what it is, and its frames one after the other.

Used in a process that may be killed (`child`), never in the one that paints.
"""

from __future__ import annotations

import contextlib
import os
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import av.logging
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream
from PIL import Image, ImageOps

from models.clips.completeness import index_is_cut_off, is_cut_off
from models.clips.frame_pixels import Pixels, over_white, shown_size, to_pixels
from models.clips.interface import MAX_CLIP_PIXELS, ClipError, ClipFacts, ClipProblem
from models.clips.source_formats import SourceFormat, source_format
from models.clips.timeline import TICKS_PER_S, USUAL_FRAME_TICKS, Shown, thinned, ticks

MAX_PACKETS = 200_000
"""Of one clip, sound included: more are no clip of a minute."""
_SEEN_BY_ITS_COUNT = 0.9
"""Of the frames that a file promises: with fewer it is cut off."""
_MAX_FAILURES = 50
"""Frames that can't be decoded before a clip is given up; players leave out a few, too."""
_WITH_OPACITY = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_RIFF_HEADER_BYTES, _ANMF_BYTES = 12, 16
_HAS_OPACITY = 0x10
_NO_LENGTH_MS, _USUAL_MS = 10, 100
_SIZES = re.compile(r"Picture size (\d+)x(\d+) is invalid")
_DAMAGE = (av.FFmpegError, OSError, ValueError, ArithmeticError, LookupError, struct.error)


def read_facts(path: Path) -> ClipFacts:
    """What a clip is, by its packets and its first frame. Raises ClipError."""
    form = source_format(path)
    try:
        return _webp_facts(path) if form is SourceFormat.WEBP else _facts(path, form)
    except _DAMAGE as error:
        raise _problem(error) from None


def read_frames(
    path: Path, size: tuple[int, int], *, crop: bool, frames_per_s: float | None
) -> Iterator[tuple[Shown, Pixels]]:
    """A clip's frames at (width, height), upright, at their own times from 0 on.

    With `crop` the middle of that shape is cut out. At most `frames_per_s`, if given. Raises
    ClipError where not even one frame can be read.
    """
    form = source_format(path)
    try:
        if form is SourceFormat.WEBP:
            lengths = _webp_lengths(path)
            frames = _webp_frames(path, size, lengths, crop=crop)
            yield from _with_lengths(thinned(frames, frames_per_s), lambda: sum(lengths))
            return
        yield from _decoded(path, form, size, crop=crop, frames_per_s=frames_per_s)
    except _DAMAGE as error:
        raise _problem(error) from None


def open_source(path: Path, form: SourceFormat) -> InputContainer:
    """A container that reads this file and no other. Raises `av.FFmpegError`."""
    return av.open(
        path, format=form.value, container_options={"protocol_whitelist": "file"}, timeout=None
    )


def picture_stream(container: InputContainer) -> VideoStream:
    """The stream with the moving picture: covers of albums are none. Raises ClipError."""
    for stream in container.streams.video:
        if stream.disposition & Disposition.attached_pic:
            continue
        if stream.codec_context is None:
            raise ClipError(ClipProblem.NOT_A_CLIP)
        return stream
    raise ClipError(ClipProblem.NO_PICTURE if _has_sound(container) else ClipProblem.DAMAGED)


def _has_sound(container: InputContainer) -> bool:
    """Whether there is any, and not a file that ends before it says what is in it."""
    return any(packet.stream.type == "audio" and packet.size for packet in container.demux())


def _facts(path: Path, form: SourceFormat) -> ClipFacts:
    if form is SourceFormat.MOV and index_is_cut_off(path):
        raise ClipError(ClipProblem.DAMAGED)
    with open_source(path, form) as container:
        stream = picture_stream(container)
        _check_pixels(stream.codec_context.width, stream.codec_context.height)
        # An AVI counts places in time, of which many may be empty.
        promised = stream.frames if form is SourceFormat.MOV else 0
        count, length, sound_bytes = _counted(container, stream)
    is_short = count == 0 or count < promised * _SEEN_BY_ITS_COUNT - 1
    # What is left of a clip is a clip; but one frame that is left is no still picture.
    if is_short or (count == 1 and is_cut_off(path, form)):
        raise ClipError(ClipProblem.DAMAGED)
    width, height = _first_frames_size(path, form)
    return ClipFacts(
        seconds=length / TICKS_PER_S,
        frames=count,
        width_px=width,
        height_px=height,
        sound_bytes=sound_bytes,
        container=form.value,
    )


def _first_frames_size(path: Path, form: SourceFormat) -> tuple[int, int]:
    """(width, height) as it is to be seen."""
    with _too_large_by_ffmpegs_log(), open_source(path, form) as container:
        stream = picture_stream(container)
        frame = next(_frames(container, stream), None)
        if frame is None:
            raise ClipError(ClipProblem.DAMAGED)
        return shown_size(frame, _aspect(stream))


@contextlib.contextmanager
def _too_large_by_ffmpegs_log() -> Iterator[None]:
    """Raises ClipError where FFmpeg says that a picture is larger than any it takes.

    From its demuxers and codecs comes an error like any other, and the size is 0 then.
    """
    level = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture() as said:
            try:
                yield
            except (ClipError, *_DAMAGE):
                for width, height in _SIZES.findall("".join(text for _, _, text in said)):
                    _check_pixels(int(width), int(height))
                raise
    finally:
        av.logging.set_level(level)


def _counted(container: InputContainer, stream: VideoStream) -> tuple[int, int, int]:
    """How many frames are in a file, how many ticks they take, and how many bytes the sound."""
    count = packets = sound_bytes = 0
    begin: int | None = None
    last, length = 0, 0
    for packet in container.demux():
        packets += 1
        if packets > MAX_PACKETS:
            raise ClipError(ClipProblem.TOO_MUCH_WORK)
        if packet.stream.type == "audio":
            sound_bytes += packet.size
        if packet.stream_index != stream.index or packet.size == 0 or packet.is_discard:
            continue
        count += 1
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None:
            time = count
        base = _time_base(stream)
        at = ticks(time, base)
        begin = at if begin is None else min(begin, at)
        if at >= last:
            last, length = at, ticks(packet.duration or 0, base)
    if begin is None:
        return 0, 0, sound_bytes
    usual = (last - begin) // (count - 1) if count > 1 else USUAL_FRAME_TICKS
    return count, last - begin + (length or usual), sound_bytes


def _decoded(
    path: Path, form: SourceFormat, size: tuple[int, int], *, crop: bool, frames_per_s: float | None
) -> Iterator[tuple[Shown, Pixels]]:
    with open_source(path, form) as container:
        clock = _Clock(picture_stream(container))
        timed = map(clock.timed, _frames(container, clock.stream))
        kept = (
            (begin, to_pixels(frame, size, crop=crop))
            for begin, frame in thinned(timed, frames_per_s)
        )
        yield from _with_lengths(kept, lambda: clock.end)


class _Clock:
    """When frames are shown, in ticks since the first one."""

    def __init__(self, stream: VideoStream) -> None:
        self.stream = stream
        self.end = 0
        """Of all frames so far."""
        self._base = _time_base(stream)
        self._first: int | None = None

    def timed(self, frame: av.VideoFrame) -> tuple[int, av.VideoFrame]:
        """A frame and its beginning."""
        first = self._first
        if first is None:
            first = self._first = 0 if frame.pts is None else ticks(frame.pts, self._base)
        begin = self.end if frame.pts is None else ticks(frame.pts, self._base) - first
        self.end = max(self.end, begin + ticks(frame.duration or 0, self._base))
        return begin, frame


def _frames(container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
    """Decoded frames; what can't be decoded is left out, unless that is nearly everything."""
    decoder = _decoder(stream)
    failures = 0
    for packet in container.demux(stream):
        try:
            frames = decoder.decode(packet)
        except av.error.InvalidDataError:
            failures += 1
            if failures > _MAX_FAILURES:
                return
            continue
        for frame in frames:
            _check_pixels(frame.width, frame.height)
            yield frame


def _decoder(stream: VideoStream) -> VideoCodecContext:
    """The stream's own, in one thread; FFmpeg's own of VP8 and VP9 knows no transparency."""
    context: VideoCodecContext = stream.codec_context
    if stream.metadata.get("alpha_mode") == "1" and context.name in _WITH_OPACITY:
        other = av.CodecContext.create(_WITH_OPACITY[context.name], "r")
        assert isinstance(other, VideoCodecContext)  # noqa: S101 - for the type checker
        other.extradata, context = context.extradata, other
    context.thread_count = 1
    return context


def _with_lengths(
    frames: Iterable[tuple[int, Pixels]], end: Callable[[], int]
) -> Iterator[tuple[Shown, Pixels]]:
    """Each until the next one begins, the last until `end`, which is asked after it."""
    held: tuple[int, Pixels] | None = None
    usual = USUAL_FRAME_TICKS
    for begin, pixels in frames:
        if held is not None:
            usual = begin - held[0]
            yield Shown(held[0], usual), held[1]
        held = begin, pixels
    if held is None:
        raise ClipError(ClipProblem.DAMAGED)
    yield Shown(held[0], max(end() - held[0], 0) or usual), held[1]


def _time_base(stream: VideoStream) -> Fraction:
    return Fraction(stream.time_base or Fraction(1, TICKS_PER_S))


def _check_pixels(width: int, height: int) -> None:
    # Before anything is decoded: a header alone could ask for gigabytes.
    if width * height > MAX_CLIP_PIXELS:
        raise ClipError(ClipProblem.TOO_MANY_PIXELS)


def _aspect(stream: VideoStream) -> float:
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    return float(aspect or 1)


def _problem(error: Exception) -> ClipError:
    if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
        return ClipError(ClipProblem.MISSING)
    if isinstance(error, av.error.DecoderNotFoundError):
        return ClipError(ClipProblem.NOT_A_CLIP)
    return ClipError(ClipProblem.DAMAGED)


def _webp_facts(path: Path) -> ClipFacts:
    lengths = _webp_lengths(path)
    with Image.open(path, formats=[SourceFormat.WEBP]) as image:
        width, height = image.size
    return ClipFacts(
        seconds=sum(lengths) / TICKS_PER_S,
        frames=max(1, len(lengths)),
        width_px=width,
        height_px=height,
        sound_bytes=0,
        container=SourceFormat.WEBP.value,
    )


def _webp_lengths(path: Path) -> list[int]:
    """Of each frame, in ticks, by the file's chunks; none of a still picture.

    Checks the canvas, for which a decoder would ask memory as soon as it is opened.
    """
    lengths = []
    with path.open("rb") as file:
        file.seek(_RIFF_HEADER_BYTES)
        while len(header := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", header)
            body = file.read(min(size, _ANMF_BYTES))
            if name == b"VP8X" and len(body) >= 10:
                _check_pixels(_three_bytes(body, 4) + 1, _three_bytes(body, 7) + 1)
            if name == b"ANMF" and len(body) == _ANMF_BYTES:
                lengths.append(_webp_ticks(_three_bytes(body, 12)))
            file.seek(size + size % 2 - len(body), os.SEEK_CUR)
    return lengths


def _webp_ticks(milliseconds: int) -> int:
    """As browsers do: what has hardly any length has a tenth of a second."""
    return (milliseconds if milliseconds > _NO_LENGTH_MS else _USUAL_MS) * TICKS_PER_S // 1000


def _three_bytes(data: bytes, begin: int) -> int:
    return int.from_bytes(data[begin : begin + 3], "little")


def _webp_frames(
    path: Path, size: tuple[int, int], lengths: list[int], *, crop: bool
) -> Iterator[tuple[int, Pixels]]:
    with Image.open(_with_opacity(path), formats=[SourceFormat.WEBP]) as image:
        begin = 0
        for number, length in enumerate(lengths):
            try:
                image.seek(number)
                frame = image.convert("RGBA")
            except (OSError, EOFError):  # cut off: what was there is a clip
                return
            yield begin, _webp_pixels(frame, size, crop=crop)
            begin += length


def _with_opacity(path: Path) -> BytesIO:
    """The file, its canvas declared transparent: where no frame has painted it always is."""
    data = bytearray(path.read_bytes())
    if data[_RIFF_HEADER_BYTES:][:4] == b"VP8X":
        data[_RIFF_HEADER_BYTES + 8] |= _HAS_OPACITY
    return BytesIO(data)


def _webp_pixels(frame: Image.Image, size: tuple[int, int], *, crop: bool) -> Pixels:
    opaque = Image.fromarray(over_white(np.asarray(frame)))
    if crop:
        return np.asarray(ImageOps.fit(opaque, size, Image.Resampling.BICUBIC))
    return np.asarray(opaque.resize(size, Image.Resampling.BICUBIC))
