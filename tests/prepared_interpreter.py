"""Interpreters that have imported everything already, so that a process starts in a moment.

To import aiogram and torch takes eight seconds of a core, and the tests start a hundred processes.
One process (`python -m tests.prepared_interpreter`) imports them once and forks for each start.
What comes of it is a process like any other, with a pid, signals, an environment, standard streams
and an end of its own.

The workers of pytest-xdist come out of a second one, forked from the first, that has collected the
tests once: what they import is in place, and each worker's own collection finds it there.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import shlex
import signal
import socket
import subprocess
import sys
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NoReturn

from tests import prepared_worker
from tests.prepared_worker import NUMBER, ask

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
STREAMS = 3
CHUNK_BYTES = 65_536


def die_with_parent() -> None:
    """A killed test run leaves no processes behind (Linux; elsewhere one has to look for them)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


# In the tests


def is_there() -> bool:
    """Whether this process or one above it has started it."""
    return SOCKET_VARIABLE in os.environ


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
        connection = await asyncio.to_thread(_ask_for_bot, program, cwd, env, output)
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


def _ask_for_bot(
    program: Sequence[str], cwd: Path, env: Mapping[str, str], output: IO[bytes]
) -> socket.socket:
    with Path(os.devnull).open("rb") as nothing:
        streams = [nothing.fileno(), output.fileno(), output.fileno()]
        return ask(os.environ[SOCKET_VARIABLE], program, str(cwd), env, streams)


async def _number(connection: socket.socket) -> int:
    answer = await asyncio.get_running_loop().sock_recv(connection, NUMBER.size)
    assert answer, "the prepared interpreter has ended"
    return int(NUMBER.unpack(answer)[0])


def start_server(folder: Path, pytest_args: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start it, for this process and its children; it imports nothing before the first one asks."""
    with _listener(folder / "bots") as bots, _listener(folder / "workers") as workers:
        os.environ[SOCKET_VARIABLE] = str(folder / "bots")
        descriptors = [bots.fileno(), workers.fileno()]
        return subprocess.Popen(  # noqa: S603 - our own program
            [
                *(sys.executable, "-m", "tests.prepared_interpreter"),
                *(*map(str, descriptors), str(Path.cwd()), *pytest_args),
            ],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )


def worker_command(folder: Path) -> str:
    """What pytest-xdist starts as the Python of its workers."""
    program = [sys.executable, "-I", "-S", prepared_worker.__file__, str(folder / "workers")]
    return shlex.join(program)


def _listener(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(64)
    return listener


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
            request, streams = _request(connection)
            pid = os.fork()
            if pid == 0:
                listener.close()
                for descriptor, (_, other) in running.items():
                    os.close(descriptor)
                    other.close()
                connection.close()
                _become(streams, **json.loads(request))
            for stream in streams:
                os.close(stream)
            descriptor = os.pidfd_open(pid)
            running[descriptor] = (pid, connection)
            poll.register(descriptor, select.POLLIN)
            _tell(connection, pid)


def _request(connection: socket.socket) -> tuple[bytes, list[int]]:
    """What is asked for, and the descriptors of its standard streams."""
    request, streams, _, _ = socket.recv_fds(connection, CHUNK_BYTES, STREAMS)
    while chunk := connection.recv(CHUNK_BYTES):
        request += chunk
    return request, streams


def _tell(connection: socket.socket, number: int) -> None:
    """Tell it, unless nobody listens any more."""
    try:
        connection.send(NUMBER.pack(number))
    except OSError:
        return


def _until_asked(*listeners: socket.socket) -> None:
    select.select(listeners, [], [])


def _import_bot() -> None:
    for name in PRELOADED:
        importlib.import_module(name)
    _freeze()


def _collect(cwd: str, pytest_args: Sequence[str]) -> None:
    """Import what the same call of pytest collects."""
    import pytest  # the bots come without it

    os.chdir(cwd)
    with contextlib.suppress(Exception):  # each worker meets it again and tells of it
        pytest.main([*pytest_args, "--collect-only", "-qq", "-n", "0"])
    _freeze()


def _freeze() -> None:
    """What is there now is of no interest to the garbage collectors of the copies."""
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 - only their number
    assert threads == 1, f"a fork would lose {threads - 1} threads"
    gc.collect()
    gc.freeze()


def _become(streams: Sequence[int], program: list[str], cwd: str, env: dict[str, str]) -> NoReturn:
    """Go on as `python *program` would; its end is the interpreter's."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    match program:
        case "-m", module, *_:
            sys.argv = program[1:]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case "-u", "-c", code:
            sys.argv = ["-c"]
            sys.modules["__main__"] = types.ModuleType("__main__")
            exec(code, vars(sys.modules["__main__"]))  # noqa: S102 - what xdist asks for
        case file, *_:
            sys.argv = program
            runpy.run_path(file, run_name="__main__")
    raise SystemExit


def main() -> None:
    """Serve until the tests end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    bots, workers = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    _until_asked(bots, workers)
    _import_bot()
    if os.fork() == 0:
        die_with_parent()
        bots.close()
        _until_asked(workers)
        _collect(sys.argv[3], sys.argv[4:])
        serve(workers)
    workers.close()
    serve(bots)


if __name__ == "__main__":
    main()
