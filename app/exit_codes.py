"""What the process ends with: for scripts, and for the supervisor that starts it again or not."""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """Every code that run.py ends with by itself."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    DEVICE_LOST = 70
    HUNG = 71
    CONFIG = 78
    """EX_CONFIG of sysexits.h: trying again changes nothing, so supervisors should not."""
    INTERRUPTED = 130
    """What a shell says of a process that SIGINT ended: 128 + 2."""
    OUTPUT_CLOSED = 141
    """Likewise of SIGPIPE: 128 + 13."""


MEANINGS = {
    ExitCode.DONE: "everything that was asked for is done",
    ExitCode.FAILED: "it failed; of several photos, at least one (the others are painted)",
    ExitCode.USAGE: "nothing was done: the command line, a setting or a picture can't be used",
    ExitCode.DEVICE_LOST: "the bot has to be started again: the (last) GPU is lost",
    ExitCode.HUNG: "the bot has to be started again: the (last) GPU answers no more",
    ExitCode.CONFIG: "the bot's token is missing or wrong",
    ExitCode.INTERRUPTED: "Ctrl-C; pictures that were finished are there, no other is begun",
    ExitCode.OUTPUT_CLOSED: "whoever read the output went away, as `head` does",
}
