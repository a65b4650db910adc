"""Clips made by the tests themselves, with PyAV and Pillow."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Pixels = NDArray[np.uint8]
File = TypeVar("File", Path, io.BytesIO)
TICKS_PER_S = 90_000
SIZE = (96, 72)
FRAMES_PER_S = 10


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


def drawn(number: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """The frame of this number of a block that moves over a still ground."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    left = 4 + 3 * number % max(1, size[0] - 24)
    ImageDraw.Draw(image).rectangle((left, 20, left + 18, 44), fill=(200, 60, 40))
    return image


# As files


def save_clip(
    file: File,
    frames: Sequence[Pixels],
    *,
    codec: str = "libx264",
    fps: int = FRAMES_PER_S,
    times: Sequence[int] | None = None,
    sound: str | None = None,
    rotation: int = 0,
    pix_fmt: str = "yuv420p",
    faststart: bool = False,
    container_format: str | None = None,
    **stream_options: Any,
) -> File:
    """A video of RGB frames; `times` in ticks, else `fps`; `sound` is a codec's name.

    The container is the one of the file's name, unless it is said.
    """
    options = {"movflags": "+faststart"} if faststart else {}
    with av.open(file, "w", format=container_format, options=options) as container:
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
    return file


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
    file: File, frames: Sequence[Image.Image], *, lengths_ms: int | list[int] = 100, **how: Any
) -> File:
    """A GIF or an animated WEBP, by its name or as `format`."""
    frames[0].save(
        file, save_all=True, append_images=frames[1:], duration=lengths_ms, loop=0, **how
    )
    return file


# To send


def mp4(
    frames: int = 8, size: tuple[int, int] = SIZE, *, sound: bool = False, rate: int = FRAMES_PER_S
) -> bytes:
    """H.264, as phones and Telegram have it; with AAC if there is to be sound."""
    return _video("mp4", frames, size, fps=rate, sound="aac" if sound else None)


def webm(frames: int = 8, size: tuple[int, int] = SIZE) -> bytes:
    return _video("webm", frames, size, codec="libvpx-vp9")


def mov(frames: int = 8, size: tuple[int, int] = SIZE) -> bytes:
    return _video("mov", frames, size, sound="aac")


def gif(frames: int = 8, size: tuple[int, int] = SIZE) -> bytes:
    return _moving_picture("GIF", frames, size)


def webp(frames: int = 8, size: tuple[int, int] = SIZE) -> bytes:
    return _moving_picture("WEBP", frames, size)


def sound_alone(seconds: float = 1.0) -> bytes:
    """An MP4 without a picture."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        _Sound(container, "aac").play(seconds)
    return out.getvalue()


def _video(container_format: str, frames: int, size: tuple[int, int], **how: Any) -> bytes:
    pixels = [np.asarray(drawn(number, size)) for number in range(frames)]
    return save_clip(io.BytesIO(), pixels, container_format=container_format, **how).getvalue()


def _moving_picture(picture_format: str, frames: int, size: tuple[int, int]) -> bytes:
    images = [drawn(number, size) for number in range(frames)]
    return save_moving(io.BytesIO(), images, format=picture_format).getvalue()


# Looked at


def pictures(frames: Sequence[Pixels]) -> list[Image.Image]:
    """As Pillow's."""
    return [Image.fromarray(pixels) for pixels in frames]


def seen(path: Path) -> Iterator[tuple[float, Pixels]]:
    """A painted clip's frames with their times in seconds."""
    with av.open(path) as container:
        for frame in container.decode(video=0):
            yield float(frame.time), frame.to_ndarray(format="rgb24").astype(np.uint8)


def facts_of(clip: bytes) -> tuple[int, bool]:
    """Its frames, and whether it has sound."""
    with av.open(io.BytesIO(clip), "r") as opened:
        frames = len([*opened.decode(video=0)])
        return frames, bool(opened.streams.audio)
