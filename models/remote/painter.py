"""An engine in a process of its own, perhaps on another machine: what a Ray actor is made of."""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from models.clips.interface import OnFrame, PaintedClip
from models.interface import EngineError, OnStep, Painting, Style
from models.remote.digest import project_digest
from models.remote.messages import (
    Answer,
    Begun,
    ClipAnswer,
    ClipOrder,
    ClipPart,
    EngineOrder,
    PictureOrder,
    SentStyle,
    SentWeights,
)
from models.remote.painting_thread import PaintingThread
from models.weights_cache import DEFAULT_CACHE_DIR, WeightsError, read_vgg16, write_vgg16

if TYPE_CHECKING:
    from models.engine.stylizer import TorchStylizer

PROJECT = Path(__file__).parents[2]

PREFIX = "style-bot-painter-"
"""Of the folders with the pictures in hand; what follows is the number of the process."""


PART_BYTES = 4_000_000
"""Of a painted clip's file, at a time."""

R = TypeVar("R")
T = TypeVar("T")


@dataclass(slots=True)
class _Signals:
    """What may be said of an order while it is painted."""

    stop: threading.Event = field(default_factory=threading.Event)
    cancel: threading.Event = field(default_factory=threading.Event)


class RemotePainter:
    """Loads one engine and paints one thing at a time; `stop` may be called meanwhile.

    A picture that is ordered while a clip is painted is painted between two of its frames.
    """

    def __init__(self) -> None:
        self._engine: TorchStylizer | None = None
        # One for all pictures, as where the bot itself runs.
        self._thread = PaintingThread()
        self._lock = threading.Lock()
        self._signals: dict[int, _Signals] = {}
        self._last_begun = 0

    def lacks_vgg16(self) -> bool:
        """Whether this machine has no whole VGG16 in its cache."""
        try:
            read_vgg16(_cache_dir())
        except WeightsError:
            return True
        return False

    def load(self, order: EngineOrder, weights: SentWeights | None = None) -> None:
        """Load the engine, with `weights` kept in this machine's cache before.

        Raises EngineError, also where this machine's project is another.
        """
        here = project_digest()
        if here != order.project:
            raise EngineError(
                f"its project is another than the bot's ({here}, not {order.project}): bring both "
                "to the same commit and start Ray there again."
            )
        _delete_left_behind()
        if weights is not None:
            _keep(weights)
        # Here and not above: torch takes seconds, and a machine that is refused needs none.
        from models.engine.loading import load_stylizer

        self._engine = load_stylizer(
            encoder=order.encoder,
            device="cpu" if order.gpu is None else "cuda",
            cache_dir=_cache_dir(),
            threads=order.threads,
            gpu=order.gpu,
        )

    def is_there(self) -> None:
        """Answered for as long as the process lives, also while it paints."""

    def paint(self, order: PictureOrder) -> Iterator[Answer]:
        """Every step as it is done, and the painting. Raises EngineError, PictureError."""
        yield Begun()
        with _folder() as folder:
            content = folder / "content"
            content.write_bytes(order.content)
            styles = _written(order.styles, folder)

            def paint(on_step: OnStep, signals: _Signals) -> Painting:
                return self._loaded.stylize(
                    content, styles, order.options, on_step=on_step, stop=signals.stop
                )

            yield from self._reported(order.number, paint)

    def paint_clip(self, order: ClipOrder) -> Iterator[ClipAnswer]:
        """Every frame's report as it is painted, the file in parts, and what it is.

        Its path is of no use elsewhere. Raises EngineError, PictureError, ClipError,
        ClipCancelledError.
        """
        yield Begun()
        with _folder() as folder:
            source, output = folder / f"source{order.suffix}", folder / "painted.mp4"
            source.write_bytes(order.content)
            styles = _written(order.styles, folder)

            def paint(on_frame: OnFrame, signals: _Signals) -> PaintedClip:
                return self._loaded.stylize_clip(
                    source,
                    styles,
                    order.options,
                    output=output,
                    kind=order.kind,
                    limits=order.limits,
                    on_frame=on_frame,
                    between_frames=self._thread.let_others_in,
                    stop=signals.stop,
                    cancel=signals.cancel,
                )

            for answer in self._reported(order.number, paint):
                if isinstance(answer, PaintedClip):
                    yield from _parts(answer.path)
                yield answer

    def stop(self, number: int, *, cancel: bool = False) -> None:
        """End this order after the step in hand, also where it has not begun yet."""
        with self._lock:
            if number > self._last_begun:
                self._signals.setdefault(number, _Signals())
            signals = self._signals.get(number)
        if signals is not None:
            if cancel:
                signals.cancel.set()
            signals.stop.set()

    @property
    def _loaded(self) -> TorchStylizer:
        assert self._engine is not None  # noqa: S101 - whoever orders has had `load` return
        return self._engine

    def _reported(
        self, number: int, paint: Callable[[Callable[[R], None], _Signals], T]
    ) -> Iterator[R | T]:
        """What `paint` reports, as it does, and what it returns; it has the thread."""
        reports: queue.SimpleQueue[R | None] = queue.SimpleQueue()
        signals = self._begin(number)
        future = self._thread.submit(lambda: paint(reports.put, signals))
        future.add_done_callback(lambda _: reports.put(None))
        try:
            while (report := reports.get()) is not None:
                yield report
            yield future.result()
        finally:
            self._end(number)

    def _begin(self, number: int) -> _Signals:
        with self._lock:
            self._last_begun = max(number, self._last_begun)
            return self._signals.setdefault(number, _Signals())

    def _end(self, number: int) -> None:
        with self._lock:
            del self._signals[number]


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """For people's pictures, as long as they are painted."""
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-") as name:
        yield Path(name)


def _parts(path: Path) -> Iterator[ClipPart]:
    with path.open("rb") as file:
        while content := file.read(PART_BYTES):
            yield ClipPart(content)


def _cache_dir() -> Path:
    """As for a bot on this machine."""
    data = os.environ.get("DATA_DIR")
    return Path(data).absolute() / "cache" if data else PROJECT / DEFAULT_CACHE_DIR


def _keep(weights: SentWeights) -> None:
    if hashlib.sha256(weights.content).hexdigest() != weights.sha256:
        raise EngineError("the VGG16 weights did not arrive as they were sent.")
    try:
        write_vgg16(_cache_dir(), weights.content)
    except OSError as error:
        raise EngineError(f"the VGG16 weights can't be kept in {_cache_dir()}: {error}.") from None


def _delete_left_behind() -> None:
    """People's pictures of painters that were killed on this machine."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not _is_alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _written(styles: Sequence[SentStyle], folder: Path) -> list[Style]:
    written = []
    for number, style in enumerate(styles):
        path = folder / f"style{number}"
        path.write_bytes(style.picture)
        written.append(Style(path, style.weight, style.recipe))
    return written
