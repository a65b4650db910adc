"""Clips made by the tests themselves, with PyAV and Pillow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
TICKS_PER_S = 90_000


def scenes(count: int, size: tuple[int, int] = (64, 48), *, seed: int = 0) -> list[Pixels]:
    """A smooth scene that slides to the left by 2 px a frame; (height, width, 3) each."""
    width, height = size
    random = np.random.default_rng(seed)
    small = random.integers(0, 255, (6, 16, 3), dtype=np.uint8)
    wide = Image.fromarray(small).resize((width + 2 * count, height), Image.Resampling.BICUBIC)
    pixels = np.asarray(wide)
    return [np.ascontiguousarray(pixels[:, 2 * i : 2 * i + width]) for i in range(count)]


def quadrants(size: tuple[int, int]) -> Pixels:
    """Red above left, green above right, blue below left, white below right."""
    width, height = size
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    return pixels


def save_clip(
    path: Path,
    frames: Sequence[Pixels],
    *,
    codec: str = "libx264",
    fps: int = 10,
    times: Sequence[int] | None = None,
    sound: str | None = None,
    rotation: int = 0,
    pix_fmt: str = "yuv420p",
    faststart: bool = False,
    **stream_options: Any,
) -> Path:
    """A video of RGB frames; `times` in ticks, else `fps`; `sound` is a codec's name."""
    options = {"movflags": "+faststart"} if faststart else {}
    with av.open(path, "w", options=options) as container:
        stream = container.add_stream(codec, rate=fps)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = frames[0].shape[1], frames[0].shape[0]
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = Fraction(1, TICKS_PER_S)
        if rotation:
            stream.set_display_rotation(rotation)
        for name, value in stream_options.items():
            setattr(stream.codec_context, name, value)
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "crf": "12"}
        heard = _Sound(container, sound) if sound else None
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels).reformat(format=pix_fmt)
            frame.pts = times[number] if times else number * TICKS_PER_S // fps
            frame.time_base = Fraction(1, TICKS_PER_S)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if heard is not None:
            heard.play(len(frames) / fps)
    return path


class _Sound:
    def __init__(self, container: av.container.OutputContainer, codec: str) -> None:
        self._container = container
        stream = container.add_stream(codec, rate=48_000)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        self._stream = stream

    def play(self, seconds: float) -> None:
        count = round(48_000 * seconds)
        tone = np.sin(np.arange(count) * 2 * np.pi * 440 / 48_000)
        resampler = av.AudioResampler(format=self._stream.format, layout="mono", rate=48_000)
        frame = av.AudioFrame.from_ndarray(tone[None].astype(np.float32), "fltp", "mono")
        frame.sample_rate = 48_000
        fifo = av.AudioFifo()
        for part in resampler.resample(frame):
            part.pts = None
            fifo.write(part)
        size = self._stream.codec_context.frame_size or 1024
        while (piece := fifo.read(size, partial=True)) is not None:
            self._container.mux(self._stream.encode(piece))
        self._container.mux(self._stream.encode())


def save_moving(
    path: Path, frames: Sequence[Image.Image], *, lengths_ms: int | list[int] = 100, **how: Any
) -> Path:
    """A GIF or an animated WEBP, by its name."""
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=lengths_ms, loop=0, **how
    )
    return path


def pictures(frames: Sequence[Pixels]) -> list[Image.Image]:
    """As Pillow's."""
    return [Image.fromarray(pixels) for pixels in frames]


def seen(path: Path) -> Iterator[tuple[float, Pixels]]:
    """A painted clip's frames with their times in seconds."""
    with av.open(path) as container:
        for frame in container.decode(video=0):
            yield float(frame.time), frame.to_ndarray(format="rgb24").astype(np.uint8)
