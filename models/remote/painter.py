"""An engine in a process of its own, perhaps on another machine: what a Ray actor is made of."""

from __future__ import annotations

import hashlib
import os
import queue
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from models.interface import EngineError, Painting, StepReport, Style, Stylizer
from models.remote.digest import project_digest
from models.remote.messages import (
    Answer,
    Begun,
    EngineOrder,
    PictureOrder,
    SentStyle,
    SentWeights,
)
from models.weights_cache import DEFAULT_CACHE_DIR, WeightsError, read_vgg16, write_vgg16

PROJECT = Path(__file__).parents[2]

PREFIX = "style-bot-painter-"
"""Of the folders with the pictures in hand; what follows is the number of the process."""


class RemotePainter:
    """Loads one engine and paints one picture at a time; `stop` may be called meanwhile."""

    def __init__(self) -> None:
        self._engine: Stylizer | None = None
        # One thread for all pictures, as where the bot itself runs.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="painting")
        self._lock = threading.Lock()
        self._stops: dict[int, threading.Event] = {}
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
        answers: queue.SimpleQueue[StepReport | None] = queue.SimpleQueue()
        future = self._thread.submit(self._paint, order, answers)
        yield from _until_done(answers, future)
        yield future.result()

    def stop(self, number: int) -> None:
        """End this picture after the step in hand, also where it has not begun yet."""
        with self._lock:
            if number > self._last_begun:
                self._stops.setdefault(number, threading.Event())
            if number in self._stops:
                self._stops[number].set()

    def _paint(
        self, order: PictureOrder, answers: queue.SimpleQueue[StepReport | None]
    ) -> Painting:
        assert self._engine is not None  # noqa: S101 - whoever orders has had `load` return
        stop = self._begin(order.number)
        try:
            with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-") as name:
                folder = Path(name)
                content = folder / "content"
                content.write_bytes(order.content)
                return self._engine.stylize(
                    content,
                    _written(order.styles, folder),
                    order.options,
                    on_step=answers.put,
                    stop=stop,
                )
        finally:
            self._end(order.number)

    def _begin(self, number: int) -> threading.Event:
        with self._lock:
            self._last_begun = max(number, self._last_begun)
            return self._stops.setdefault(number, threading.Event())

    def _end(self, number: int) -> None:
        with self._lock:
            del self._stops[number]


def _until_done(
    answers: queue.SimpleQueue[StepReport | None], future: Future[Painting]
) -> Iterator[StepReport]:
    future.add_done_callback(lambda _: answers.put(None))
    while (report := answers.get()) is not None:
        yield report


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
