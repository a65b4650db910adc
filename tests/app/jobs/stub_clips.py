"""A stub that paints clips: real MP4s in and out, as quickly or as slowly as a test wants."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageOps

from models.clips.interface import (
    ClipCancelledError,
    ClipKind,
    ClipLimits,
    ClipNote,
    ClipReport,
    OnFrame,
    PaintedClip,
    ignore_frame,
    no_turns,
)
from models.interface import Painting, Style, StyleOptions
from models.pictures.sizes import fit_size
from tests.app.jobs.stub_stylizers import Breaker, Inverter, Order, PhotoStub, Sleeper


@dataclass
class ClipInverter:
    """Paints the negative of each frame, without sound; each takes `frame_s`, and waits for `gate`
    if there is one.
    """

    frame_s: float = 0.0
    gate: threading.Semaphore | None = None
    notes: frozenset[ClipNote] = frozenset()
    error: Exception | None = None
    """Raised instead of writing anything."""
    sources: list[Path] = field(default_factory=list)
    """Of what it began to paint."""

    def stylize_clip(
        self,
        source: Path,
        styles: Sequence[Style],
        options: StyleOptions,
        *,
        output: Path,
        kind: ClipKind,
        limits: ClipLimits,
        on_frame: OnFrame = ignore_frame,
        between_frames: Callable[[], None] = no_turns,
        stop: threading.Event | None = None,
        cancel: threading.Event | None = None,
    ) -> PaintedClip:
        began = time.monotonic()
        stop, cancel = stop or threading.Event(), cancel or threading.Event()
        self.sources.append(source)
        frames, frames_per_s = _decoded(source, options.size_px, square=kind is ClipKind.VIDEO_NOTE)
        painted: list[Image.Image] = []
        for frame in frames:
            if painted:
                between_frames()
            self._work(stop, cancel)
            if cancel.is_set():
                raise ClipCancelledError
            if stop.is_set() and painted:
                break
            painted.append(ImageOps.invert(frame))
            on_frame(
                ClipReport(
                    frame=len(painted),
                    frames=len(frames),
                    seconds_spent=time.monotonic() - began,
                    seconds_left=(len(frames) - len(painted)) * self.frame_s,
                    picture=painted[0] if len(painted) == 1 else None,
                )
            )
        if self.error is not None:
            raise self.error
        _write(painted, frames_per_s, output)
        stopped = {ClipNote.STOPPED} if len(painted) < len(frames) else set()
        return PaintedClip(
            path=output,
            kind=kind,
            width_px=painted[0].width,
            height_px=painted[0].height,
            seconds_long=len(painted) / frames_per_s,
            frames=len(painted),
            has_sound=False,
            options=options,
            seconds=time.monotonic() - began,
            notes=self.notes | stopped,
        )

    def _work(self, stop: threading.Event, cancel: threading.Event) -> None:
        time.sleep(self.frame_s)
        while self.gate is not None and not (stop.is_set() or cancel.is_set()):
            if self.gate.acquire(timeout=0.01):
                return


@dataclass
class ClipAndPhotoInverter(ClipInverter, PhotoStub):
    """And photos as `photos` does."""

    photos: Inverter | Breaker | Sleeper = field(default_factory=Inverter)

    def paint(self, order: Order) -> Painting:
        return self.photos.paint(order)


def _decoded(source: Path, size_px: int, *, square: bool) -> tuple[list[Image.Image], int]:
    with av.open(source) as container:
        stream = container.streams.video[0]
        frames_per_s = round(stream.average_rate or 10)
        frames = [
            Image.fromarray(frame.to_ndarray(format="rgb24")) for frame in container.decode(stream)
        ]
    if square:
        side = min(frames[0].size)
        frames = [ImageOps.fit(frame, (side, side)) for frame in frames]
    width, height = fit_size(frames[0].size, size_px)
    size = max(2, width // 2 * 2), max(2, height // 2 * 2)
    return [frame.resize(size) for frame in frames], frames_per_s


def _write(frames: Sequence[Image.Image], frames_per_s: int, output: Path) -> None:
    part = output.with_name(output.name + ".part")
    with av.open(part, "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=frames_per_s)
        stream.width, stream.height = frames[0].size
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.asarray(frame), format="rgb24"))
            )
        container.mux(stream.encode())
    part.replace(output)
