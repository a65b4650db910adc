"""`python -m app.decoding.child`: opens strangers' files, with nothing near that they could harm.

Reads one request a line from stdin and writes one answer a line, both JSON, until stdin ends. It
imports Pillow and no more, so that another one is there in a moment.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import time
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from models.pictures.headers import inspect
from models.pictures.problems import PictureError, PictureProblem
from models.pictures.reading import prepare_picture

Json = dict[str, Any]

READY: Json = {"ready": True}
MAX_WRITTEN_BYTES = 200_000_000
_PAGES = Path("/proc/self/statm")


def main() -> None:
    """Answer requests until stdin ends."""
    # A supervisor, or Ctrl+C, signals the whole group; this one ends when its parent says so.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    with _private_stdout() as answers:
        _bound_files()
        _write(answers, READY)
        for line in sys.stdin.buffer:
            request = json.loads(line)
            signal.alarm(request["alarm_s"])  # should the parent be gone: nobody else kills it
            _bound(request["memory_bytes"], request["cpu_s"])
            answer = _answer(request)
            signal.alarm(0)
            _write(answers, answer)


def _answer(request: Json) -> Json:
    source, long_side_px = Path(request["source"]), request["long_side_px"]
    try:
        if request["target"] is None:
            return asdict(inspect(source, long_side_px=long_side_px))
        prepare_picture(source, Path(request["target"]), long_side_px=long_side_px)
    except PictureError as error:
        return {"problem": error.problem, "max_pixels": error.max_pixels}
    except MemoryError:
        return {"problem": PictureProblem.TOO_MUCH_WORK}
    except OSError as error:  # of the target: a full disk, a folder that was deleted
        return {"not_written": type(error).__name__}
    except Exception as error:
        # Only its name: its text is of the stranger's making.
        return {"problem": PictureProblem.DAMAGED, "error": type(error).__name__}
    return {}


def _private_stdout() -> BinaryIO:
    """Stdout for the answers alone: a library's chatter must not get between them."""
    private = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return private


def _write(answers: BinaryIO, answer: Json) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


def _bound_files() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_WRITTEN_BYTES, MAX_WRITTEN_BYTES))


def _bound(more_bytes: int, more_cpu_s: int) -> None:
    """So much on top of what is used already, for this request. On Linux only."""
    if sys.platform == "linux":
        import resource

        used_bytes = int(_PAGES.read_text().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (used_bytes + more_bytes, hard))
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        cpu_s = math.ceil(time.process_time()) + more_cpu_s
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, hard))


if __name__ == "__main__":
    main()
