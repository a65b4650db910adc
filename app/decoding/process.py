"""One decoder process: started, asked, killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Any, Final, Self

Json = dict[str, Any]

COMMAND: Final = (sys.executable, "-m", "app.decoding.child")
START_S: Final = 60.0
"""Half a second, but on a machine that has just begun to start everything."""
_ROOT: Final = Path(__file__).parents[2]
_PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""Nothing else of the environment: it holds the token."""
_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
_ALARM_LATER_S: Final = 5
_ENDS_WITHIN_S: Final = 5.0


class DecoderCrashed(Exception):  # noqa: N818 - it says what has happened to the process
    """The process has ended in the middle of something."""


class DecoderTooBusy(DecoderCrashed):
    """The kernel has ended it: it took more of the processor than it was granted."""


class DecoderProcess:
    """Answers one request at a time."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @classmethod
    async def start(cls) -> Self:
        """One that is ready. Raises OSError, TimeoutError, DecoderCrashed."""
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            cwd=_ROOT,
            env=passed_on | _ONE_THREAD,
            start_new_session=True,
        )
        decoder = cls(process)
        try:
            async with asyncio.timeout(START_S):
                await decoder._answer()
        except BaseException:
            await decoder.kill()
            raise
        return decoder

    async def ask(self, request: Json, *, time_limit_s: float) -> Json:
        """Its answer. After TimeoutError, DecoderCrashed or a cancellation: kill it."""
        line = json.dumps(request | {"alarm_s": math.ceil(time_limit_s) + _ALARM_LATER_S})
        assert self._process.stdin is not None  # noqa: S101 - it was asked for as a pipe
        try:
            async with asyncio.timeout(time_limit_s):
                self._process.stdin.write(line.encode() + b"\n")
                await self._process.stdin.drain()
                return await self._answer()
        except (DecoderCrashed, ConnectionError) as error:
            if await self._exit_code() == -signal.SIGXCPU:
                raise DecoderTooBusy from error
            raise DecoderCrashed from error

    async def kill(self) -> int:
        """End it whatever it does; its exit code."""
        if self._process.returncode is None:
            self._process.kill()
        return await self._process.wait()

    async def _exit_code(self) -> int:
        """Of a process that has said its last word."""
        # To kill it now would be to look whether it still lives, and that takes its code away.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ENDS_WITHIN_S):
                return await self._process.wait()
        return await self.kill()

    async def _answer(self) -> Json:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for as a pipe
        line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise DecoderCrashed
        answer: Json = json.loads(line)
        return answer
