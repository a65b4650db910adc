"""Strangers' clips, read by a process that may be killed; this is its parent's side."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from models.clips.frame_pixels import Pixels
from models.clips.interface import ClipError, ClipFacts, ClipProblem
from models.clips.messages import ANSWER, FRAME, HEADER, MAX_ANSWER_BYTES, Json
from models.clips.timeline import Shown

COMMAND: Final = (sys.executable, "-m", "models.clips.child")
START_S: Final = 60.0
"""Half a second, but on a machine that has just begun to start everything."""
PROBE_S: Final = 30.0
FRAME_S: Final = 30.0
"""By the clock, from one frame to the next; half a second of 4K in a quicker clip."""
MEMORY_BYTES: Final = 1_200_000_000
"""Of addresses: what 10-bit 4K needs with as many frames as a codec may look back to."""
_PROBE_CPU_S: Final = 20
_CPU_S_A_FRAME: Final = 0.5
_ROOT: Final = Path(__file__).parents[2]
_PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""Nothing else of the environment: it holds the token."""
_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
_CHUNK_BYTES = 1 << 20


class _SilentError(Exception):
    """The process has ended in the middle of something."""


class ReaderProcess:
    """A process that reads one clip, started when it is entered and killed when it is left.

    Whoever has entered it may have another one enter and leave it, which ends it.
    """

    def __init__(
        self,
        *,
        frame_s: float = FRAME_S,
        probe_s: float = PROBE_S,
        memory_bytes: int = MEMORY_BYTES,
        command: tuple[str, ...] = COMMAND,
    ) -> None:
        self._frame_s = frame_s
        self._probe_s = probe_s
        self._memory_bytes = memory_bytes
        self._command = command
        self._is_started = False

    def __enter__(self) -> Self:
        if self._is_started:
            return self
        self._is_started = True
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env=passed_on | _ONE_THREAD,
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdout is not None  # noqa: S101 - it was asked for as a pipe
        self._pipe = self._process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._pipe, selectors.EVENT_READ)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._selector.close()
        self._pipe.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def probe(self, source: Path) -> ClipFacts:
        """See `models.clips.probing.probe`."""
        answer = self._ask(
            {"do": "probe", "source": _absolute(source)}, cpu_s=_PROBE_CPU_S, limit_s=self._probe_s
        )
        return ClipFacts(**answer["facts"])

    def frames(
        self,
        source: Path,
        size: tuple[int, int],
        *,
        crop: bool,
        frames_per_s: float | None,
        most: int,
    ) -> Iterator[tuple[Shown, Pixels]]:
        """See `models.clips.source.read_frames`; `most` frames and no more.

        What breaks after the first frame ends the clip there. Raises ClipError.
        """
        request: Json = {
            "do": "decode",
            "source": _absolute(source),
            "size": size,
            "crop": crop,
            "frames_per_s": frames_per_s,
        }
        width, height = size
        count = 0
        try:
            self._begin(request, cpu_s=round(_PROBE_CPU_S + _CPU_S_A_FRAME * most))
            while count < most:
                kind, begin, length = self._header(self._frame_s)
                if kind != FRAME:
                    _without_problem(self._answer(kind, begin))
                    return
                data = self._read(3 * width * height, self._frame_s)
                yield Shown(begin, length), np.frombuffer(data, np.uint8).reshape(height, width, 3)
                count += 1
        except TimeoutError:
            problem = ClipProblem.TOO_MUCH_WORK
        except _SilentError:
            problem = ClipProblem.DAMAGED
        except ClipError as error:
            problem = error.problem
        else:
            return
        if not count:
            raise ClipError(problem)

    def join_sound(
        self, painted: Path, source: Path, target: Path, *, is_whole: bool, most_bytes: int
    ) -> bool:
        """See `models.clips.sound.join_sound`; False also where the source is no good for that.

        Raises OSError.
        """
        request = {
            "do": "join_sound",
            "painted": _absolute(painted),
            "source": _absolute(source),
            "target": _absolute(target),
            "is_whole": is_whole,
        }
        try:
            answer = self._ask(
                request, cpu_s=_PROBE_CPU_S, limit_s=self._probe_s, file_bytes=most_bytes
            )
        except ClipError:
            return False
        return bool(answer["joined"])

    def _ask(self, request: Json, *, cpu_s: int, limit_s: float, file_bytes: int = 0) -> Json:
        try:
            self._begin(request, cpu_s=cpu_s, file_bytes=file_bytes)
            kind, length, _ = self._header(limit_s)
            answer = self._answer(kind, length)
        except TimeoutError:
            raise ClipError(ClipProblem.TOO_MUCH_WORK) from None
        except _SilentError:
            raise ClipError(ClipProblem.DAMAGED) from None
        return _without_problem(answer)

    def _begin(self, request: Json, *, cpu_s: int, file_bytes: int = 0) -> None:
        kind, length, _ = self._header(START_S)
        self._answer(kind, length)  # it is ready
        bounds = {"memory_bytes": self._memory_bytes, "cpu_s": cpu_s, "file_bytes": file_bytes}
        assert self._process.stdin is not None  # noqa: S101 - it was asked for as a pipe
        try:
            self._process.stdin.write(json.dumps(request | bounds).encode() + b"\n")
        except OSError:
            raise _SilentError from None

    def _header(self, limit_s: float) -> tuple[bytes, int, int]:
        kind, one, other = HEADER.unpack(self._read(HEADER.size, limit_s))
        return kind, one, other

    def _answer(self, kind: bytes, length: int) -> Json:
        if kind != ANSWER or not 0 < length <= MAX_ANSWER_BYTES:
            raise _SilentError
        answer: Json = json.loads(self._read(length, START_S))
        return answer

    def _read(self, size: int, limit_s: float) -> bytearray:
        """So many bytes. Raises TimeoutError, _SilentError."""
        data = bytearray(size)
        view, got = memoryview(data), 0
        until = time.monotonic() + limit_s
        while got < size:
            if not self._selector.select(max(0.0, until - time.monotonic())):
                raise TimeoutError
            count = self._pipe.readinto(view[got : got + _CHUNK_BYTES])  # type: ignore[attr-defined]
            if not count:
                raise _SilentError
            got += count
        return data


def _absolute(path: Path) -> str:
    """For a process that runs elsewhere."""
    return str(path.absolute())


def _without_problem(answer: Json) -> Json:
    if "not_written" in answer:
        errno = answer["not_written"] or 0
        raise OSError(errno, os.strerror(errno))
    if "problem" in answer:
        raise ClipError(ClipProblem(answer["problem"]), limit=answer.get("limit", 0.0))
    return answer
