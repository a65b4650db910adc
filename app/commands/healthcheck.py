"""`run.py healthcheck`: is the bot alive? A container asks twice a minute, so it imports little."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from app.exit_codes import ExitCode
from app.monitoring.heartbeat import is_alive

if TYPE_CHECKING:
    from app.settings import Settings


def healthcheck(args: argparse.Namespace, settings: Settings) -> int:
    """0 if the bot of this data folder is alive, else 1."""
    return ExitCode.DONE if is_alive(settings.heartbeat_path) else ExitCode.FAILED
