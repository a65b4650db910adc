"""Clips to send, made as they are needed: a block that moves over a still ground."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
from PIL import Image, ImageDraw

SIZE = (96, 72)
FRAMES_PER_S = 10


def mp4(
    frames: int = 8, size: tuple[int, int] = SIZE, *, sound: bool = False, rate: int = FRAMES_PER_S
) -> bytes:
    """H.264, as phones and Telegram have it; with AAC if there is to be sound."""
    return _video(frames, size, rate, container="mp4", codec="libx264", sound=sound)


def webm(frames: int = 8, size: tuple[int, int] = SIZE) -> bytes:
    return _video(frames, size, FRAMES_PER_S, container="webm", codec="libvpx-vp9", sound=False)


def mov(frames: int = 8, size: tuple[int, int] = SIZE) -> bytes:
    return _video(frames, size, FRAMES_PER_S, container="mov", codec="libx264", sound=True)


def gif(frames: int = 8, size: tuple[int, int] = SIZE) -> bytes:
    return _moving_picture(frames, size, "GIF")


def webp(frames: int = 8, size: tuple[int, int] = SIZE) -> bytes:
    return _moving_picture(frames, size, "WEBP")


def sound_alone(seconds: float = 1.0) -> bytes:
    """An MP4 without a picture."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        _add_sound(container, seconds)
    return out.getvalue()


def drawn(number: int, size: tuple[int, int]) -> Image.Image:
    """The frame of this number."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    left = 4 + 3 * number % max(1, size[0] - 24)
    ImageDraw.Draw(image).rectangle((left, 20, left + 18, 44), fill=(200, 60, 40))
    return image


def facts_of(clip: bytes) -> tuple[int, bool]:
    """Its frames, and whether it has sound."""
    with av.open(io.BytesIO(clip), "r") as opened:
        frames = len([*opened.decode(video=0)])
        return frames, bool(opened.streams.audio)


def _moving_picture(frames: int, size: tuple[int, int], kind: str) -> bytes:
    out = io.BytesIO()
    first, *others = (drawn(number, size) for number in range(frames))
    first.save(
        out, kind, save_all=True, append_images=others, duration=1000 // FRAMES_PER_S, loop=0
    )
    return out.getvalue()


def _video(
    frames: int, size: tuple[int, int], rate: int, *, container: str, codec: str, sound: bool
) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=container) as target:
        stream = target.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        heard = _sound_stream(target) if sound else None
        for number in range(frames):
            target.mux(stream.encode(_frame(drawn(number, size))))
        target.mux(stream.encode())
        if heard is not None:
            _write_sound(target, heard, frames / rate)
    return out.getvalue()


def _frame(image: Image.Image) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")


def _add_sound(target: av.container.OutputContainer, seconds: float) -> None:
    _write_sound(target, _sound_stream(target), seconds)


def _sound_stream(target: av.container.OutputContainer) -> av.AudioStream:
    stream = target.add_stream("aac", rate=44_100)
    stream.layout = "mono"
    return stream


def _write_sound(
    target: av.container.OutputContainer, stream: av.AudioStream, seconds: float
) -> None:
    """A tone of 440 Hz."""
    tone = np.sin(2 * np.pi * 440 * np.arange(round(seconds * 44_100)) / 44_100)
    for start in range(0, len(tone), 1024):
        samples = (tone[None, start : start + 1024] * 0.3).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 44_100, start, Fraction(1, 44_100)
        target.mux(stream.encode(frame))
    target.mux(stream.encode())
