"""A clip's sound, copied packet by packet beside what was painted."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream

from models.clips.source import open_source, picture_stream
from models.clips.source_formats import SourceFormat, source_format

COPIED = {"aac", "mp3", "opus", "ac3", "eac3", "alac", "flac"}
"""Codecs whose sound an MP4 takes and phones play."""
_MOST_REORDERED = 32
_PRIMING_S = Fraction(1, 5)
"""Sound before the first frame that a decoder may need to begin with."""


def join_sound(painted: Path, source: Path, target: Path, *, is_whole: bool) -> bool:
    """Write `painted`'s picture with `source`'s sound to `target`.

    Unless the picture `is_whole` the sound ends with it. False, and no file, where there is none
    that an MP4 takes. Raises `av.FFmpegError`.
    """
    form = source_format(source)
    if form is SourceFormat.WEBP:
        return False
    with open_source(source, form) as container:
        zero_s = _begin_s(container)
    with open_source(source, form) as heard, av.open(painted) as seen:
        sound = _sound(heard)
        if sound is None:
            return False
        with av.open(target, "w", format="mp4", options={"movflags": "+faststart"}) as out:
            _copy(seen, heard, sound, out, zero_s=zero_s, is_whole=is_whole)
    return True


def _sound(container: InputContainer) -> AudioStream | None:
    return next((s for s in container.streams.audio if s.codec_context.name in COPIED), None)


def _copy(
    seen: InputContainer,
    heard: InputContainer,
    sound: AudioStream,
    out: OutputContainer,
    *,
    zero_s: Fraction,
    is_whole: bool,
) -> None:
    picture = seen.streams.video[0]
    painted_stream = out.add_stream_from_template(picture)
    sound_stream = out.add_stream_from_template(sound)
    end_s = None
    if not is_whole:
        end_s = Fraction(picture.duration or 0) * Fraction(picture.time_base or 0)
    pictures = _packets(seen, picture, Fraction(0), None)
    sounds = _packets(heard, sound, zero_s, end_s)
    # In the order of time, so that players read both at one place of the file.
    late = next(sounds, None)
    for packet in pictures:
        now_s = _time_s(packet)
        while late is not None and _time_s(late) <= now_s:
            late.stream = sound_stream
            out.mux(late)
            late = next(sounds, None)
        packet.stream = painted_stream
        out.mux(packet)
    while late is not None:
        late.stream = sound_stream
        out.mux(late)
        late = next(sounds, None)


def _begin_s(container: InputContainer) -> Fraction:
    """When the first frame is shown."""
    stream = picture_stream(container)
    times: list[int] = []
    for packet in container.demux(stream):
        if packet.pts is not None and not packet.is_discard:
            times.append(packet.pts)
        if len(times) > _MOST_REORDERED:
            break
    return Fraction(min(times, default=0)) * Fraction(stream.time_base or 0)


def _packets(
    container: InputContainer,
    stream: Stream,
    zero_s: Fraction,
    end_s: Fraction | None,
) -> Iterator[Packet[Stream]]:
    """A stream's packets, timed from `zero_s` on and until `end_s`."""
    base = Fraction(stream.time_base or 0)
    offset = round(zero_s / base)
    for packet in container.demux(stream):
        if packet.dts is None or packet.pts is None:
            continue
        packet.pts -= offset
        packet.dts -= offset
        if packet.pts * base + _PRIMING_S < 0:
            continue
        if end_s is not None and packet.pts * base >= end_s:
            return
        yield packet


def _time_s(packet: Packet[Stream]) -> Fraction:
    return Fraction(packet.dts or 0) * Fraction(packet.time_base or 0)
