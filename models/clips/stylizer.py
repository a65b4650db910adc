"""A clip's way: read in another process, painted frame by frame, encoded, its sound laid beside."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from PIL import Image

from models.clips.ahead import fetched_ahead, finished_behind
from models.clips.budget import Budget, budget
from models.clips.encoder import ClipEncoder
from models.clips.frame_painter import Drafted, FramePainter, Look
from models.clips.frame_pixels import Pixels
from models.clips.interface import (
    ClipCancelledError,
    ClipFacts,
    ClipKind,
    ClipLimits,
    ClipNote,
    ClipReport,
    OnFrame,
    PaintedClip,
    check_clip,
    ignore_frame,
    no_turns,
)
from models.clips.probing import probe
from models.clips.reader import ReaderProcess
from models.clips.timeline import TICKS_PER_S, Shown
from models.devices.threads import computing_threads
from models.devices.torch_errors import is_device_lost, is_out_of_memory, release_memory
from models.draft.drafter import Drafter
from models.faces import FaceFinder
from models.files import flushed
from models.interface import (
    MIN_SIZE_PX,
    DeviceLostError,
    EngineError,
    OutOfMemoryError,
    Style,
    StyleOptions,
)

_log = logging.getLogger(__name__)

_SHRINK = 0.7
"""What a clip that did not fit into memory is scaled by: half the pixels."""
_MORE_FRAMES = 10
"""A file may hold so many more than it said."""
_CUT_OFF = 0.9
"""Of the promised time; with less a clip was not read to its end."""
_FRAMES_TO_GUESS = 3


@dataclass(frozen=True, slots=True)
class _Request:
    """The arguments of one call of `stylize_clip`, its source looked at."""

    source: Path
    facts: ClipFacts
    reader: ReaderProcess
    """Not used yet."""
    styles: Sequence[Style]
    kind: ClipKind
    limits: ClipLimits
    on_frame: OnFrame
    between_frames: Callable[[], None]
    stop: threading.Event
    cancel: threading.Event


class _Stopwatch:
    """Seconds that were spent on the clip, without others' turns."""

    def __init__(self) -> None:
        self._started = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Without what happens here."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._started += time.perf_counter() - began


@dataclass(slots=True)
class _Progress:
    """What was painted so far."""

    frames: int = 0
    ticks: int = 0
    first_s: float = 0.0
    """When the first frame was ready: what went before says nothing about the others' pace."""
    is_stopped: bool = False

    def add(self, shown: Shown, seconds: float) -> None:
        """One more frame is painted."""
        self.frames += 1
        self.ticks = shown.begin + shown.length
        if self.frames == 1:
            self.first_s = seconds


class ClipPainter:
    """Implements `models.clips.interface.ClipStylizer` on one device."""

    def __init__(
        self, drafter: Drafter | None, face_finder: FaceFinder | None, *, device: torch.device
    ) -> None:
        """Without a `drafter` no clip is painted."""
        self._drafter = drafter
        self._face_finder = face_finder
        self._device = device
        # The others are for what goes on beside the network. Threads of torch's that have to wait
        # for one another on a busy processor take ten times as long.
        self._threads = max(1, torch.get_num_threads() // 2)

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
        """See `models.clips.interface.ClipStylizer.stylize_clip`."""
        watch = _Stopwatch()
        # It starts while another one has a first look: each takes a third of a second.
        with ReaderProcess() as reader:
            facts = probe(source)
            check_clip(facts, kind, limits)
            request = _Request(
                source=source,
                facts=facts,
                reader=reader,
                styles=styles,
                kind=kind,
                limits=limits,
                on_frame=on_frame,
                between_frames=between_frames,
                stop=stop or threading.Event(),
                cancel=cancel or threading.Event(),
            )
            return self._paint_to(output, request, options, watch)

    def _paint_to(
        self, output: Path, request: _Request, options: StyleOptions, watch: _Stopwatch
    ) -> PaintedClip:
        room = budget(request.facts, request.kind, request.limits, options.size_px)
        notes = {ClipNote.SIZE_REDUCED} if room.size_px < options.size_px else set()
        options = replace(options, size_px=max(MIN_SIZE_PX, room.size_px))
        with TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as folder:
            painted = self._paint_what_fits(request, options, room, Path(folder), watch)
            flushed(painted.path)
            painted.path.replace(output)
        return replace(painted, path=output, notes=painted.notes | notes, seconds=watch.seconds)

    def _paint_what_fits(
        self,
        request: _Request,
        options: StyleOptions,
        room: Budget,
        folder: Path,
        watch: _Stopwatch,
    ) -> PaintedClip:
        """Paint, smaller each time memory runs out, until it fits."""
        smaller = options
        while True:
            painted = self._try_to_paint(request, smaller, room, folder, watch)
            if painted is not None:
                shrunk = {ClipNote.SHRUNK} if smaller.size_px < options.size_px else set()
                return replace(painted, notes=painted.notes | shrunk)
            release_memory()
            _log.warning("out of memory for a clip at %d px", smaller.size_px)
            if smaller.size_px == MIN_SIZE_PX:
                raise OutOfMemoryError("There is not enough memory to paint even a small clip.")
            smaller = replace(smaller, size_px=max(MIN_SIZE_PX, int(smaller.size_px * _SHRINK)))
            request = replace(request, reader=ReaderProcess())

    def _try_to_paint(
        self,
        request: _Request,
        options: StyleOptions,
        room: Budget,
        folder: Path,
        watch: _Stopwatch,
    ) -> PaintedClip | None:
        """The clip, or None if memory ran out: an exception would pin the memory it ran out of."""
        try:
            return self._paint(request, options, room, folder, watch)
        except Exception as error:
            if is_device_lost(error):
                raise DeviceLostError("The graphics card has to be restarted.") from error
            if not is_out_of_memory(error):
                raise
        return None

    def _paint(
        self,
        request: _Request,
        options: StyleOptions,
        room: Budget,
        folder: Path,
        watch: _Stopwatch,
    ) -> PaintedClip:
        size = request.facts.painted_size(request.kind, options.size_px)
        silent = folder / "silent.mp4"
        encoder = ClipEncoder(
            silent,
            size,
            frames_per_s=request.facts.frames_to_paint(request.limits) / request.facts.seconds,
            bits_per_s=room.bits_per_s,
        )
        painter = self.frame_painter(request.styles, options)
        with encoder, torch.no_grad():
            done = _paint_frames(request, painter, encoder, size, watch, threads=self._threads)
        path, notes = silent, _notes(request, done)
        if room.has_sound:
            path = _with_sound(request, silent, folder / "sound.mp4", is_whole=not notes)
        has_sound = path != silent
        if request.kind is not ClipKind.ANIMATION and request.facts.has_sound and not has_sound:
            notes.add(ClipNote.SOUND_LEFT_OUT)
        if path.stat().st_size > request.limits.out_bytes:
            raise EngineError("The painted clip is too large a file; please send a shorter one.")
        return PaintedClip(
            path=path,
            kind=request.kind,
            width_px=size[0],
            height_px=size[1],
            seconds_long=done.ticks / TICKS_PER_S,
            frames=done.frames,
            has_sound=has_sound,
            options=options,
            seconds=watch.seconds,
            notes=frozenset(notes),
        )

    def frame_painter(self, styles: Sequence[Style], options: StyleOptions) -> FramePainter:
        """What paints one clip's frames. Raises EngineError without the draft network."""
        if self._drafter is None:
            raise EngineError("Clips can't be painted here: the draft network is missing.")
        return FramePainter(self._drafter, self._face_finder, styles, options, device=self._device)


def _paint_frames(
    request: _Request,
    painter: FramePainter,
    encoder: ClipEncoder,
    size: tuple[int, int],
    watch: _Stopwatch,
    *,
    threads: int,
) -> _Progress:
    """Paint until the end, or until it is stopped. Raises ClipError, ClipCancelledError.

    Three frames are in work at a time: another thread looks at one, this one drafts the one before
    with so many `threads` of torch's, a third one finishes and encodes the one before that.
    """
    done = _Progress()

    def finish(drafted: tuple[Shown, Drafted]) -> tuple[Shown, Pixels]:
        shown, draft = drafted
        with computing_threads(1):
            painting = painter.finish(draft)
        encoder.write(shown, painting)
        return shown, painting

    with (
        closing(fetched_ahead(_looks(painter, _frames(request, size)))) as looks,
        closing(_drafts(request, painter, looks, watch, done, threads=threads)) as drafts,
        closing(finished_behind(drafts, finish)) as paintings,
        request.reader,  # entered last, it ends first: nobody waits for a frame that isn't wanted
    ):
        for shown, painting in paintings:
            done.add(shown, watch.seconds)
            request.on_frame(_report(request, done, painting, watch.seconds))
    if request.cancel.is_set():
        raise ClipCancelledError
    return done


def _looks(
    painter: FramePainter, frames: Iterator[tuple[Shown, Pixels]]
) -> Iterator[tuple[Shown, Look]]:
    for shown, frame in frames:
        with computing_threads(1):
            look = painter.look(frame)
        yield shown, look


def _drafts(
    request: _Request,
    painter: FramePainter,
    looks: Iterator[tuple[Shown, Look]],
    watch: _Stopwatch,
    done: _Progress,
    *,
    threads: int,
) -> Generator[tuple[Shown, Drafted], None, None]:
    """Draft what was seen, others having their turns between."""
    for number, (shown, look) in enumerate(looks):
        if number:
            with watch.stopped():
                request.between_frames()
        if request.cancel.is_set():
            raise ClipCancelledError
        if number and request.stop.is_set():
            done.is_stopped = True
            return
        with computing_threads(threads):
            draft = painter.draft(look)
        yield shown, draft


def _frames(request: _Request, size: tuple[int, int]) -> Iterator[tuple[Shown, Pixels]]:
    limits, facts = request.limits, request.facts
    return request.reader.frames(
        request.source,
        size,
        crop=request.kind is ClipKind.VIDEO_NOTE,
        frames_per_s=limits.frames_per_s if facts.is_quick(limits) else None,
        most=facts.frames + _MORE_FRAMES,
    )


def _report(request: _Request, done: _Progress, painting: Pixels, seconds: float) -> ClipReport:
    frames = max(done.frames, request.facts.frames_to_paint(request.limits))
    left_s = None
    if done.frames >= _FRAMES_TO_GUESS:
        left_s = (seconds - done.first_s) / (done.frames - 1) * (frames - done.frames)
    return ClipReport(
        frame=done.frames,
        frames=frames,
        seconds_spent=seconds,
        seconds_left=left_s,
        picture=Image.fromarray(painting) if done.frames == 1 else None,
    )


def _notes(request: _Request, done: _Progress) -> set[ClipNote]:
    if done.is_stopped:
        return {ClipNote.STOPPED}
    is_short = done.ticks < _CUT_OFF * request.facts.seconds * TICKS_PER_S
    return {ClipNote.CUT_OFF} if is_short else set()


def _with_sound(request: _Request, silent: Path, target: Path, *, is_whole: bool) -> Path:
    """The clip with its source's sound, or as it was where that can't be copied. Raises OSError."""
    with ReaderProcess() as reader:
        is_joined = reader.join_sound(
            silent,
            request.source,
            target,
            is_whole=is_whole,
            most_bytes=2 * request.limits.out_bytes,
        )
    return target if is_joined else silent
