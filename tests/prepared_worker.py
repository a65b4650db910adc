"""What pytest-xdist starts as the Python of a worker: the worker itself is forked elsewhere.

`python prepared_worker.py SOCKET -u -c CODE` has `python -u -c CODE` forked from the interpreter
that listens at SOCKET (`tests/prepared_interpreter.py`), with its own standard streams, and ends as
that does. It imports next to nothing, for it is there once for each worker.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys

NUMBER = struct.Struct("!i")
NO_ANSWER = 70
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def ask(
    path: str, program: Sequence[str], cwd: str, env: Mapping[str, str], streams: Sequence[int]
) -> socket.socket:
    """Ask for `python *program`; its pid can be read from what is returned, at its end its code."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(path)
    request = json.dumps({"program": [*program], "cwd": cwd, "env": dict(env)}).encode()
    sent = socket.send_fds(connection, [request], streams)
    connection.sendall(request[sent:])
    connection.shutdown(socket.SHUT_WR)
    return connection


def main() -> None:
    """Have the worker started, and end with it."""
    path, *program = sys.argv[1:]
    with ask(path, program, os.getcwd(), os.environ, [0, 1, 2]) as connection:  # noqa: PTH109
        answers = connection.makefile("rb")
        numbers = [answers.read(NUMBER.size) for _ in ("pid", "code")]
    sys.exit(abs(NUMBER.unpack(numbers[1])[0]) if numbers[1] else NO_ANSWER)


if __name__ == "__main__":
    main()
