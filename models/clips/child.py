"""`python -m models.clips.child`: opens strangers' clips, with nothing near that they could harm.

Reads one request from stdin, a line of JSON, writes what `messages` says to stdout, and ends. It
imports no torch. Whoever started it kills it when it takes too long.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import av.logging

from models.clips.interface import ClipError, ClipProblem
from models.clips.messages import Json, write_answer, write_frame
from models.clips.sound import join_sound
from models.clips.source import read_facts, read_frames

_PAGES = Path("/proc/self/statm")


def main() -> None:
    """Answer one request."""
    # A supervisor, or Ctrl+C, signals the whole group; this one ends when its parent says so.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    av.logging.set_level(None)
    with _private_stdout() as answers:
        write_answer(answers, {})  # ready
        request = json.loads(sys.stdin.readline())
        _bound(request["memory_bytes"], request["cpu_s"], request["file_bytes"])
        try:
            write_answer(answers, _answer(request, answers))
        except BrokenPipeError:  # the parent wants no more of it, or is gone
            return


def _answer(request: Json, answers: BinaryIO) -> Json:
    try:
        return _DO[request["do"]](request, answers)
    except ClipError as error:
        return {"problem": error.problem, "limit": error.limit}
    except BrokenPipeError:
        raise
    except MemoryError:
        return {"problem": ClipProblem.TOO_MUCH_WORK}
    except OSError as error:  # of what is written: a full disk, a folder that was deleted
        return {"not_written": error.errno}
    except Exception as error:
        # Only its name: its text is of the stranger's making.
        return {"problem": ClipProblem.DAMAGED, "error": type(error).__name__}


def _probe(request: Json, _: BinaryIO) -> Json:
    return {"facts": asdict(read_facts(Path(request["source"])))}


def _decode(request: Json, answers: BinaryIO) -> Json:
    width, height = request["size"]
    frames = read_frames(
        Path(request["source"]),
        (width, height),
        crop=request["crop"],
        frames_per_s=request["frames_per_s"],
    )
    for shown, pixels in frames:
        write_frame(answers, shown, pixels)
    return {}


def _join_sound(request: Json, _: BinaryIO) -> Json:
    is_joined = join_sound(
        Path(request["painted"]),
        Path(request["source"]),
        Path(request["target"]),
        is_whole=request["is_whole"],
    )
    return {"joined": is_joined}


_DO = {"probe": _probe, "decode": _decode, "join_sound": _join_sound}


def _private_stdout() -> BinaryIO:
    """Stdout for the answers alone: a library's chatter must not get between them."""
    private = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return private


def _bound(more_bytes: int, cpu_s: int, file_bytes: int) -> None:
    """So much memory on top of what is used already, and so on. On Linux only."""
    if sys.platform == "linux":
        import resource

        used_bytes = int(_PAGES.read_text().split()[0]) * resource.getpagesize()
        limits = {
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_AS: used_bytes + more_bytes,
            resource.RLIMIT_CPU: cpu_s,
            resource.RLIMIT_FSIZE: file_bytes,
        }
        for kind, most in limits.items():
            resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    main()
