"""Interpreters that have imported the bot already, so that a test's process starts in a moment.

To import aiogram and torch takes eight seconds of a core, and the tests start a hundred processes.
One process (`python -m tests.prepared_interpreter`) imports them once and forks for each start.
What comes of it is a process like any other, with a pid, signals, an environment, standard streams
and an end of its own.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NoReturn

ROOT = Path(__file__).parents[1]
SOCKET_VARIABLE = "PREPARED_INTERPRETER"
IS_SUPPORTED = sys.platform == "linux"
PRELOADED = (
    "torch",
    "app.process",
    "app.commands.serve",
    "app.commands.paint",
    "models.engine.loading",
)
PR_SET_PDEATHSIG = 1
MAX_REQUEST_BYTES = 65_536
NUMBER = struct.Struct("!i")


def die_with_parent() -> None:
    """A killed test run leaves no processes behind (Linux; elsewhere one has to look for them)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


# In the tests


class PreparedProcess:
    """What `asyncio.subprocess.Process` is for one that was started so."""

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._connection = connection
        self._ending = asyncio.create_task(self._end())

    @classmethod
    async def start(
        cls, program: Sequence[str], *, cwd: Path, env: Mapping[str, str], output: IO[bytes]
    ) -> PreparedProcess:
        """Start `python *program`, with both its outputs into a file."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, connection.connect, os.environ[SOCKET_VARIABLE])
        request = json.dumps({"program": [*program], "cwd": str(cwd), "env": dict(env)})
        socket.send_fds(connection, [request.encode()], [output.fileno()])
        connection.setblocking(False)
        return cls(connection, await _number(connection))

    def send_signal(self, number: signal.Signals) -> None:
        """As `os.kill`; nothing for one that has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    async def wait(self) -> int:
        """The exit code; negative for the signal that ended it."""
        return await asyncio.shield(self._ending)

    async def _end(self) -> int:
        with self._connection:
            self.returncode = await _number(self._connection)
        return self.returncode


async def _number(connection: socket.socket) -> int:
    answer = await asyncio.get_running_loop().sock_recv(connection, NUMBER.size)
    assert answer, "the prepared interpreter has ended"
    return int(NUMBER.unpack(answer)[0])


def start_server(path: Path) -> subprocess.Popen[bytes]:
    """Start it, for this process and its children; it imports nothing before the first one asks."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(64)
        os.environ[SOCKET_VARIABLE] = str(path)
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "tests.prepared_interpreter", str(listener.fileno())],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )


# In the process that is copied


def serve(listener: socket.socket) -> None:
    """Fork for each request; tell each connection the pid, and at its end the exit code."""
    running: dict[int, tuple[int, socket.socket]] = {}
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    while True:
        for ready, _ in poll.poll():
            if ready != listener.fileno():
                pid, connection = running.pop(ready)
                poll.unregister(ready)
                os.close(ready)
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                with connection:
                    _tell(connection, code)
                continue
            connection, _ = listener.accept()
            request, (output, *_), _, _ = socket.recv_fds(connection, MAX_REQUEST_BYTES, 1)
            _preload()
            pid = os.fork()
            if pid == 0:
                listener.close()
                for descriptor, (_, other) in running.items():
                    os.close(descriptor)
                    other.close()
                connection.close()
                _become(output, **json.loads(request))
            os.close(output)
            descriptor = os.pidfd_open(pid)
            running[descriptor] = (pid, connection)
            poll.register(descriptor, select.POLLIN)
            _tell(connection, pid)


def _tell(connection: socket.socket, number: int) -> None:
    """Tell it, unless nobody listens any more."""
    try:
        connection.send(NUMBER.pack(number))
    except OSError:
        return


def _preload() -> None:
    if PRELOADED[0] in sys.modules:
        return
    for name in PRELOADED:
        importlib.import_module(name)
    assert threading.active_count() == 1, "a fork would lose the other threads"
    gc.collect()
    gc.freeze()


def _become(output: int, program: list[str], cwd: str, env: dict[str, str]) -> NoReturn:
    """Go on as `python *program` would; its end is the interpreter's."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    gc.unfreeze()
    if program[0] == "-m":
        sys.argv = program[1:]
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = program
        runpy.run_path(program[0], run_name="__main__")
    raise SystemExit


def main() -> None:
    """Serve until the tests end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as listener:
        serve(listener)


if __name__ == "__main__":
    main()
