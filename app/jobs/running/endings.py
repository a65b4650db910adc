"""Why a worker paints no more."""

from __future__ import annotations

from app.exit_codes import ExitCode
from app.jobs.interface import WorkerState


class WorkerMustEnd(Exception):  # noqa: N818 - it is a request to whoever runs the workers
    """Painting can't go on in this worker. Where it was the last one the process is to end.

    Its thread may never return, and the interpreter would wait for it: once everything else is
    closed, end the process by `os._exit(reason.exit_code)`. The queue is on the disk.
    """

    exit_code: int
    state: WorkerState
    blames_job: bool = True
    """Whether it may be the doing of the job in work."""


class DeviceLost(WorkerMustEnd):
    """The GPU's context is gone; no later picture could be painted on it."""

    exit_code = ExitCode.DEVICE_LOST
    state = WorkerState.LOST


class DeviceAway(DeviceLost):
    """The machine that it is in is gone; no job has done that."""

    blames_job = False


class PainterHung(WorkerMustEnd):
    """No step for longer than the watchdog waits; a thread can't be killed."""

    exit_code = ExitCode.HUNG
    state = WorkerState.HUNG
