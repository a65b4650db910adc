"""An engine in a process of its own, perhaps on another machine: what a Ray actor is made of."""

from __future__ import annotations

import os
import queue
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from models.interface import EngineError, Painting, StepReport, Style, Stylizer
from models.pictures import PictureError
from models.remote.digest import project_digest
from models.remote.messages import Answer, EngineOrder, PictureOrder, Refusal, SentStyle

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
        self._last_ended = 0

    def load(self, order: EngineOrder) -> None:
        """Load the engine. Raises EngineError, also where this machine's project is another."""
        here = project_digest()
        if here != order.project:
            raise EngineError(
                f"its project is another than the bot's ({here}, not {order.project}): bring both "
                "to the same commit and start Ray there again."
            )
        _delete_left_behind()
        # Here and not above: torch takes seconds, and a machine that is refused needs none.
        from models.engine.loading import load_stylizer
        from models.weight_files import DEFAULT_CACHE_DIR

        self._engine = load_stylizer(
            encoder=order.encoder,
            device="cpu" if order.gpu is None else "cuda",
            cache_dir=PROJECT / DEFAULT_CACHE_DIR,
            threads=order.threads,
            gpu=order.gpu,
        )

    def paint(self, order: PictureOrder) -> Iterator[Answer]:
        """Every step as it is done, and the painting or a refusal. Raises EngineError."""
        answers: queue.SimpleQueue[StepReport | None] = queue.SimpleQueue()
        future = self._thread.submit(self._paint, order, answers)
        future.add_done_callback(lambda _: answers.put(None))
        while (report := answers.get()) is not None:
            yield report
        yield _result(future)

    def stop(self, number: int) -> None:
        """End this picture after the step in hand, also where it has not begun yet."""
        with self._lock:
            if number > self._last_ended:
                self._stops.setdefault(number, threading.Event()).set()

    def _paint(
        self, order: PictureOrder, answers: queue.SimpleQueue[StepReport | None]
    ) -> Painting:
        assert self._engine is not None  # noqa: S101 - whoever orders has had `load` return
        with self._lock:
            stop = self._stops.setdefault(order.number, threading.Event())
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
            with self._lock:
                del self._stops[order.number]
                self._last_ended = order.number


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


def _result(future: Future[Painting]) -> Painting | Refusal:
    try:
        return future.result()
    except PictureError as error:
        return Refusal(error.problem, error.max_pixels)
