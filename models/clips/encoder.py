"""Painted frames to an MP4 without sound: H.264 with its index in front, as phones play it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.packet import Packet
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from models.clips.frame_pixels import Pixels
from models.clips.timeline import TICK, Shown

MAX_BITS_PER_S = 8_000_000
"""Strokes and dots are hard to compress; with this 15 seconds stay below 16 MB."""
_BT709 = 1


class ClipEncoder:
    """Writes one file while it is entered; whoever leaves it by an error removes the file.

    Every method may raise OSError, of a full disk, say.
    """

    def __init__(
        self, path: Path, size: tuple[int, int], *, frames_per_s: float, bits_per_s: int
    ) -> None:
        """`size` is (width, height), both even. `bits_per_s` is never exceeded over a second."""
        self._path = path
        self._size = size
        self._rate = Fraction(max(1, round(frames_per_s * 1000)), 1000)
        self._bits_per_s = min(bits_per_s, MAX_BITS_PER_S)
        self._lengths: dict[int, int] = {}

    def __enter__(self) -> Self:
        self._container = av.open(self._path, "w", format="mp4", options={"movflags": "+faststart"})
        self._stream = self._container.add_stream(
            "libx264",
            rate=self._rate,
            options={
                "preset": "veryfast",
                "crf": "20",
                # With frames that refer to later ones an MP4 can't say how long the last one lasts.
                "bf": "0",
                "maxrate": str(self._bits_per_s),
                "bufsize": str(self._bits_per_s),
            },
        )
        assert isinstance(self._stream, VideoStream)  # noqa: S101 - for the type checker
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.time_base = TICK
        # Said and not left to the player's guess, which depends on the size.
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = ColorRange.MPEG
        context.thread_count = 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with _as_os_error() if error is None else contextlib.suppress(av.FFmpegError):
            try:
                if error is None:
                    self._mux(self._stream.encode())
            finally:
                self._container.close()

    def write(self, shown: Shown, pixels: Pixels) -> None:
        """The next frame, (height, width, 3)."""
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        frame.pts, frame.time_base = shown.begin, TICK
        self._lengths[shown.begin] = shown.length
        with _as_os_error():
            self._mux(self._stream.encode(frame))

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        for packet in packets:
            # Else the last frame would end as soon as it has begun.
            packet.duration = self._lengths.pop(packet.pts or 0, 0)
            self._container.mux(packet)


@contextlib.contextmanager
def _as_os_error() -> Iterator[None]:
    try:
        yield
    except av.FFmpegError as error:
        raise OSError(error.errno, error.strerror) from error
