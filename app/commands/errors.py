"""What can go wrong with a command, and the one line that says so."""

from __future__ import annotations

import sys

from app.exit_codes import ExitCode


class UsageError(Exception):
    """The command can't be carried out as typed; the message is one line."""


class OutputError(Exception):
    """A result can't be written; the message is one line."""


def complain(message: str) -> None:
    """One line on stderr, whoever reads it or not."""
    try:
        print(f"run.py: {' '.join(message.split())}", file=sys.stderr, flush=True)
    except OSError:
        return


def explained(error: Exception) -> tuple[str, ExitCode] | None:
    """The sentence and the exit code for an error that a command may end with; None for a bug."""
    # Here and not above: what fails has loaded them already, and `--help` needs none of them.
    from pydantic import ValidationError

    from models.clips.interface import ClipError
    from models.interface import DeviceSettingError, EngineError
    from models.pictures.problems import PictureError
    from styles.errors import CatalogError

    if isinstance(error, ValidationError):
        return "; ".join(map(_setting_problem, error.errors())), ExitCode.USAGE
    if isinstance(error, UsageError | PictureError | ClipError | CatalogError | DeviceSettingError):
        return str(error), ExitCode.USAGE
    if isinstance(error, OutputError | EngineError):
        return str(error), ExitCode.FAILED
    if isinstance(error, OSError):  # a disk, a stream or a network, and no mistake of ours
        return str(error), ExitCode.FAILED
    return None


def _setting_problem(problem: object) -> str:
    # Without the value: it may be the token.
    assert isinstance(problem, dict)  # noqa: S101 - pydantic's own type for it is a TypedDict
    name = str(problem["loc"][0]).upper() if problem["loc"] else "settings"
    return f"{name}: {problem['msg']}"
